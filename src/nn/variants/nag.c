/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised attention guidance (Chen et al. 2025, arXiv 2505.21179). */
#include <math.h>

#include "nn/variants/variant.h"

static void set(pld_attention_choice *choice, const pld_attention_effect *effect) {
    choice->nag_scale = (float)effect->scale;
    choice->nag_limit = (float)effect->limit;
    choice->nag_blend = (float)effect->blend;
}

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
static pld_status run_nag(pld_attention_call *call, float *out, pld_error *error) {
    const pld_context *negative = call->run->negative_context;
    float *second = pld_attention_spare(call, PLD_SPARE_CONTEXT);
    PLD_TRY(call->choice->rows->run(call, out, error));
    pld_attention_call other = *call;
    other.problem.key_count = negative->tokens;
    other.problem.key = negative->outside[call->outside];
    other.problem.value = negative->outside[call->outside + 1];
    PLD_TRY(call->choice->rows->run(&other, second, error));
    for (int64_t token = 0; token < call->problem.query_count; token++) {
        combine(call->choice, second + token * call->channels, call->channels, out + token * call->channels);
    }
    return PLD_OK;
}

const pld_attention_variant pld_variant_nag = {
    .name = "nag",
    .description = "attention to the prompt and to the negative prompt, extrapolated, bounded and blended "
                   "(Chen et al. 2025, arXiv 2505.21179)",
    .site_kinds = "cross",
    .part = PLD_VARIANT_CONTEXTS,
    .set = set,
    .run = run_nag,
};
