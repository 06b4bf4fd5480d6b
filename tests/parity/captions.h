/* SPDX-License-Identifier: Apache-2.0 */
/** Denoisers of rows whose texts have lengths of their own: each row is computed alone. */
#ifndef PLD_TESTS_CAPTIONS_H
#define PLD_TESTS_CAPTIONS_H

#include "denoiser.h"

/** What a row alone is compared with. */
typedef struct captions_request {
    const parity_case *inputs;  /**< latents [rows, C, h, w], timestep [rows], caption.0 [T, width] … */
    const network *network;     /**< open; stays so */
    const json_t *pladis;       /**< NULL: none */
    const parity_case *outputs; /**< that has `output` [rows, C, 1, h, w] */
    const char *output;         /**< which may have fewer rows, the first ones */
    double tolerance;
    double inside; /**< of maps inside, which are compared with those of `inputs`; 0: they are not */
} captions_request;

/** Whether a case is of this kind. */
bool has_captions(const parity_case *c);

/** Compare every row; the number of taps that were compared for each of them. */
int captions_compare(const captions_request *request);

/** The forward of a case with its taps, dense, and with all settings of PLADIS. */
void captions_compare_forward(const parity_case *c, const parity_row *row);

#endif
