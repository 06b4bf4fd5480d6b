/* SPDX-License-Identifier: Apache-2.0 */
/* How a Winograd convolution is cut, and the arrays of its scratch. */
#include "kernels/winograd/job.h"

enum {
    POINTS = PLD_WINOGRAD_POINTS,
    MOST_TILES = 128, /* that a group should hold */
    LEAST_TILES = 32,
    LEAST_ITEMS = 16, /* of panels, which threads share out */
};

/* Floats that the inputs of a group may take, which should stay in a third-level cache; that weights may take
 * where several groups share them: each reads them once, from memory if need be; and where a thread makes
 * them to read them at once, so that they do not leave the caches. */
static const int64_t input_room = 4 << 20, shared_weight_room = 16 << 20, weight_room = 1 << 18;

static int64_t room_or(const pld_winograd *conv, int64_t usual) {
    return conv->room ? conv->room : usual;
}

/** Panels and channels whose weights are transformed at a time: all, if groups share them and
 * they have room. */
static void cut_weights(winograd_cut *cut, const pld_winograd *conv) {
    const int64_t depth = conv->weights.depth;
    const int64_t channel = POINTS * cut->width; /* of a panel */
    cut->shares_weights = cut->group_rows < cut->all_rows &&
                          channel * depth * cut->all_panels <= room_or(conv, shared_weight_room);
    if (cut->shares_weights) {
        cut->panels = cut->all_panels;
        cut->channels = depth;
        return;
    }
    const int64_t most = pld_smaller(room_or(conv, weight_room), weight_room) / channel;
    cut->channels = pld_even_piece(depth, most);
    cut->panels = pld_larger(1, pld_smaller(most / depth, cut->all_panels / LEAST_ITEMS));
}

winograd_cut pld_winograd_cut(const pld_kernels *k, const pld_winograd *conv) {
    const int64_t depth = conv->weights.depth;
    winograd_cut cut = {.rows = pld_parts(conv->height, PLD_WINOGRAD_OUT),
                        .columns = pld_parts(conv->width, PLD_WINOGRAD_OUT),
                        .width = k->panel_columns(),
                        .all_panels = pld_panel_count(k, &conv->weights)};
    cut.all_rows = conv->batch * cut.rows;
    const int64_t most = room_or(conv, input_room) / (POINTS * depth);
    const int64_t tiles = pld_larger(LEAST_TILES, pld_smaller(MOST_TILES, most));
    cut.group_rows = pld_even_piece(cut.all_rows, tiles / cut.columns);
    cut_weights(&cut, conv);
    const int64_t group_tiles = cut.group_rows * cut.columns;
    cut.input_step = pld_whole_lines(group_tiles * depth) + PLD_LINE;
    cut.weight_step = pld_whole_lines(cut.panels * cut.channels * cut.width) + PLD_LINE;
    cut.product_step = pld_whole_lines(group_tiles * cut.panels * cut.width) + PLD_LINE;
    if (conv->input) { /* the rows of a group, and one above and below */
        int64_t rows = pld_smaller(conv->batch * conv->height, cut.group_rows * PLD_WINOGRAD_OUT + 2);
        cut.band_floats = pld_whole_lines(rows * conv->width * depth);
    }
    return cut;
}

/** Of the arrays that all threads share. */
typedef struct array_floats {
    int64_t zeros, biases, inputs, weights, products, band;
} array_floats;

static array_floats floats_of(const pld_winograd *conv, const winograd_cut *cut) {
    return (array_floats){.zeros = pld_whole_lines(conv->weights.depth),
                          .biases = pld_whole_lines(conv->batch * conv->weights.columns),
                          .inputs = POINTS * cut->input_step,
                          .weights = cut->shares_weights ? POINTS * cut->weight_step : 0,
                          .products = cut->shares_weights ? POINTS * cut->product_step : 0,
                          .band = cut->band_floats};
}

size_t pld_winograd_floats(const pld_winograd *conv, const winograd_cut *cut, int threads) {
    const array_floats floats = floats_of(conv, cut);
    return (size_t)(floats.zeros + floats.biases + floats.inputs + floats.weights + floats.products +
                    floats.band + threads * pld_winograd_room(cut));
}

void pld_winograd_divide(winograd_job *job) {
    const array_floats floats = floats_of(job->conv, &job->cut);
    job->zeros = job->operands->scratch;
    job->biases = job->zeros + floats.zeros;
    job->inputs = job->biases + floats.biases;
    job->weights = job->inputs + floats.inputs;
    job->products = job->weights + floats.weights;
    job->band = job->products + floats.products;
    job->rooms = job->band + floats.band;
}
