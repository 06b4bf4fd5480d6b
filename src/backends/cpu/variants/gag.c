/* SPDX-License-Identifier: Apache-2.0 */
/* Geometry-aware attention guidance (Kim 2026, arXiv 2603.02531). */
#include <math.h>

#include "backends/cpu/variants/variant.h"

/** One query of one head, in place: s + λ·r∥ with r = s − d and r∥ = (⟨r, s⟩/‖s‖²)·s, ‖r∥‖ <= η. */
static void combine(const pld_attention_choice *choice, const float *dense, int size, float *sparse) {
    double along = 0;
    double squares = 0;
    for (int i = 0; i < size; i++) {
        along += ((double)sparse[i] - (double)dense[i]) * (double)sparse[i];
        squares += (double)sparse[i] * (double)sparse[i];
    }
    if (squares == 0) {
        return;
    }
    double part = along / squares;
    const double norm = fabs(part) * sqrt(squares);
    if (norm > (double)choice->gag_limit) {
        part *= (double)choice->gag_limit / norm;
    }
    const float factor = (float)(1 + (double)choice->gag_scale * part);
    for (int i = 0; i < size; i++) {
        sparse[i] *= factor;
    }
}

pld_status pld_cpu_gag(pld_attention_call *call, float *out, pld_error *error) {
    const int size = call->problem.head_size;
    const int64_t count = call->problem.query_count * call->problem.heads;
    float *dense = pld_attention_spare(call, PLD_SPARE_ROWS);
    call->problem.lambda = 1;
    call->problem.alpha = call->choice->alpha;
    PLD_TRY(pld_attention_pass(call, PLD_ROWS_PLADIS, out, error));
    PLD_TRY(pld_attention_pass(call, PLD_ROWS_SOFTMAX, dense, error));
    for (int64_t i = 0; i < count; i++) {
        combine(call->choice, dense + i * size, size, out + i * size);
    }
    return PLD_OK;
}
