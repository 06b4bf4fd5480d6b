/* SPDX-License-Identifier: Apache-2.0 */
/** The gate behind a linear layer of twice the columns. */
#ifndef PLD_KERNELS_GATE_HALVES_H
#define PLD_KERNELS_GATE_HALVES_H

#include "kernels/kernels.h"

/** Of columns (a, b): a·act(b) or, with `first`, act(a)·b. All zero: diffusers' GEGLU. T5's wi_0 and wi_1 are
 * {PLD_GATE_GELU_TANH, true}, the gate and up of Qwen {PLD_GATE_SILU, true}. */
typedef struct pld_gating {
    pld_gate_kind kind;
    bool first;
} pld_gating;

/** in [rows, 2·channels] → out [rows, channels], rows out_row floats apart. */
static inline void pld_gate_halves(const pld_kernels *k, pld_gating gating, const float *in, int64_t rows,
                                   int64_t channels, float *out, int64_t out_row) {
    k->gate(&(pld_gate){.kind = gating.kind,
                        .a = in + (gating.first ? channels : 0),
                        .b = in + (gating.first ? 0 : channels),
                        .a_row = 2 * channels,
                        .b_row = 2 * channels,
                        .rows = rows,
                        .channels = channels,
                        .out = out,
                        .out_row = out_row});
}

#endif
