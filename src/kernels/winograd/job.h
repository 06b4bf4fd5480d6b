/* SPDX-License-Identifier: Apache-2.0 */
/** What the parts of a Winograd convolution share: how it is cut (cut.c), the way into the points
 * (input.c), products and the way out of them (product.c), the run (winograd.c). */
#ifndef PLD_KERNELS_WINOGRAD_JOB_H
#define PLD_KERNELS_WINOGRAD_JOB_H

#include "kernels/cuts.h"
#include "kernels/winograd/winograd.h"

enum {
    PLD_WINOGRAD_POINTS = PLD_WINOGRAD_IN * PLD_WINOGRAD_IN,
    PLD_WINOGRAD_TAPS = 9,
    PLD_WINOGRAD_EXPANDED = 32, /* rows of the depth that are expanded and transformed at a time */
};

/** How a convolution is cut: rows of tiles, over all pictures, `group_rows` at a time; `panels` of output
 * channels at a time. Array strides between the 36 points are a line longer than needed, so that the points
 * do not fall on the same sets of the cache. */
typedef struct winograd_cut {
    int64_t rows, columns; /* of tiles in a picture */
    int64_t all_rows, all_panels;
    int64_t group_rows, panels, channels; /* at a time; channels of the input */
    int64_t width;                        /* columns of a panel */
    bool shares_weights; /* transformed ones, of all panels and channels, among groups and threads */
    int64_t input_step, weight_step, product_step;
    int64_t band_floats;
} winograd_cut;

/** One run. Rows of tiles [first_row, first_row + rows), panels [first_panel, + panels) and, of their
 * weights, channels [first_channel, + channels) are in work. */
typedef struct winograd_job {
    const pld_kernels *k;
    const pld_winograd *conv;
    const pld_convolution_operands *operands;
    winograd_cut cut;
    float *zeros, *biases, *inputs, *band, *rooms;
    float *weights, *products; /* all threads' or, without cut.shares_weights, this thread's */
    int64_t first_row, rows, first_panel, panels, first_channel, channels;
    int64_t band_first, band_rows; /* of the pixel rows of all pictures, one below the other */
} winograd_job;

/** Where a tile's output begins. */
typedef struct tile_place {
    int64_t picture, row, column;
} tile_place;

/** Of the tile with this number within the group. */
static inline tile_place place_of(const winograd_job *job, int64_t tile) {
    const winograd_cut *cut = &job->cut;
    const int64_t row = job->first_row + tile / cut->columns;
    return (tile_place){row / cut->rows, row % cut->rows * PLD_WINOGRAD_OUT,
                        tile % cut->columns * PLD_WINOGRAD_OUT};
}

/** Tiles of the group. */
static inline int64_t tiles_of(const winograd_job *job) {
    return job->rows * job->cut.columns;
}

winograd_cut pld_winograd_cut(const pld_kernels *k, const pld_winograd *conv);

/** Floats of the scratch, and where its arrays lie: in the order that kernels/winograd/winograd.h draws. */
size_t pld_winograd_floats(const pld_winograd *conv, const winograd_cut *cut, int threads);
void pld_winograd_divide(winograd_job *job);

/** The group's pixels, normalised if that is asked, → inputs [36][tiles, C]. */
void pld_winograd_transform_inputs(winograd_job *job, int threads);

/** The group's output pixels, of its inputs. Weights are transformed if they are not there from the last
 * group. */
void pld_winograd_multiply(winograd_job *job, int threads);

/** Floats that a thread wants for itself: weights as they are, [EXPANDED, 9, width]; without
 * cut.shares_weights transformed ones and products of its panels, too. */
int64_t pld_winograd_room(const winograd_cut *cut);

#endif
