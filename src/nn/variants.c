/* SPDX-License-Identifier: Apache-2.0 */
/* The attention variants: what each acts on, and which numbers of an effect it takes. */
#include "nn/attention_variant.h"

static void set_blur(pld_attention_choice *choice, const pld_attention_effect *effect) {
    choice->sigma = (float)effect->sigma;
}

static void set_gag(pld_attention_choice *choice, const pld_attention_effect *effect) {
    choice->alpha = (float)effect->alpha;
    choice->gag_scale = (float)effect->scale;
    choice->gag_limit = (float)effect->limit;
}

static void set_nag(pld_attention_choice *choice, const pld_attention_effect *effect) {
    choice->nag_scale = (float)effect->scale;
    choice->nag_limit = (float)effect->limit;
    choice->nag_blend = (float)effect->blend;
}

const pld_attention_variant pld_variant_softmax = {
    .kind = PLD_VARIANT_SOFTMAX,
    .name = "softmax",
    .description = "ordinary attention",
    .site_kinds = PLD_SITES_ALL,
    .part = PLD_VARIANT_ROWS,
};

const pld_attention_variant pld_variant_pladis = {
    .kind = PLD_VARIANT_PLADIS,
    .name = "pladis",
    .description =
        "dense + lambda (alpha-entmax - dense) on cross-attention, for ablations on self-attention "
        "(Kim & Sim 2025, arXiv 2503.07677)",
    .site_kinds = PLD_SITES_ALL,
    .part = PLD_VARIANT_ROWS,
};

const pld_attention_variant pld_variant_tempered = {
    .kind = PLD_VARIANT_TEMPERED,
    .name = "tempered",
    .description = "dense + lambda (softmax(z / temperature) - dense), to compare with PLADIS",
    .site_kinds = PLD_SITES_ALL,
    .part = PLD_VARIANT_ROWS,
    .needs_spare = true,
};

const pld_attention_variant pld_variant_identity = {
    .kind = PLD_VARIANT_IDENTITY,
    .name = "identity",
    .description = "out = v: the perturbed branch of PAG (Ahn et al. 2024, arXiv 2403.17377)",
    .site_kinds = PLD_SITES_SELF | PLD_SITES_LINEAR,
    .part = PLD_VARIANT_ROWS,
};

const pld_attention_variant pld_variant_gag = {
    .kind = PLD_VARIANT_GAG,
    .name = "gag",
    .description = "sparse output + scale times the parallel part of (sparse - dense) "
                   "(Kim 2026, arXiv 2603.02531)",
    .site_kinds = PLD_SITES_TEXT,
    .part = PLD_VARIANT_ROWS,
    .needs_spare = true,
    .set = set_gag,
};

const pld_attention_variant pld_variant_blur = {
    .kind = PLD_VARIANT_BLUR,
    .name = "blur",
    .description =
        "queries blurred over the picture: the perturbed branch of SEG (Hong 2024, arXiv 2408.00760)",
    .site_kinds = PLD_SITES_SELF,
    .part = PLD_VARIANT_QUERY,
    .needs_spare = true,
    .set = set_blur,
};

const pld_attention_variant pld_variant_nag = {
    .kind = PLD_VARIANT_NAG,
    .name = "nag",
    .description = "attention to the prompt and to the negative prompt, extrapolated, bounded and blended "
                   "(Chen et al. 2025, arXiv 2505.21179)",
    .site_kinds = PLD_SITES_TEXT,
    .part = PLD_VARIANT_CONTEXTS,
    .needs_spare = true,
    .set = set_nag,
};

const pld_attention_variant *const pld_attention_variants[] = {
    &pld_variant_softmax, &pld_variant_pladis, &pld_variant_tempered, &pld_variant_identity,
    &pld_variant_gag,     &pld_variant_blur,   &pld_variant_nag,      NULL};
