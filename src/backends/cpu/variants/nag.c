/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised attention guidance (Chen et al. 2025, arXiv 2505.21179). */
#include <math.h>

#include "backends/cpu/variants/variant.h"

/** One token, all heads, in place: z̃ = s·z⁺ − (s − 1)·z⁻; its L1 norm at most τ times that of z⁺; then
 *  α·ẑ + (1 − α)·z⁺ (eq. 7 to 9). */
static void combine(const pld_attention_choice *choice, const float *negative, int64_t channels,
                    float *positive) {
    const float scale = choice->nag_scale;
    double norm = 0;
    double guided_norm = 0;
    for (int64_t i = 0; i < channels; i++) {
        norm += fabs((double)positive[i]);
        guided_norm += fabs((double)(scale * positive[i] - (scale - 1) * negative[i]));
    }
    const double most = (double)choice->nag_limit * norm;
    const float bound = guided_norm > most ? (float)(most / guided_norm) : 1.0F;
    const float blend = choice->nag_blend;
    for (int64_t i = 0; i < channels; i++) {
        const float guided = (scale * positive[i] - (scale - 1) * negative[i]) * bound;
        positive[i] = blend * guided + (1 - blend) * positive[i];
    }
}

/** Attention to the row's own context and to the negative prompt's, under the entry's rows. */
pld_status pld_cpu_nag(pld_attention_call *call, float *out, pld_error *error) {
    const pld_context *negative = call->executable->run->negative_context;
    const int outside = call->op->attention.outside;
    const pld_cpu_variant rows = pld_cpu_variants[call->choice->rows->kind];
    float *second = pld_attention_spare(call, PLD_SPARE_CONTEXT);
    PLD_TRY(rows(call, out, error));
    pld_attention_call other = *call;
    other.problem.key_count = negative->tokens;
    other.problem.zero_keys = call->op->attention.as.zero_keys + negative->zero_keys;
    other.problem.key = pld_cpu_outside(negative, outside);
    other.problem.value = pld_cpu_outside(negative, outside + 1);
    PLD_TRY(rows(&other, second, error));
    for (int64_t token = 0; token < call->problem.query_count; token++) {
        combine(call->choice, second + token * call->channels, call->channels, out + token * call->channels);
    }
    return PLD_OK;
}
