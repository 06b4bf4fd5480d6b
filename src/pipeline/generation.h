/* SPDX-License-Identifier: Apache-2.0 */
/** One generation while it runs: the stages of generate.c share it. */
#ifndef PLD_PIPELINE_GENERATION_H
#define PLD_PIPELINE_GENERATION_H

#include "pipeline/dump.h"
#include "pipeline/internal.h"
#include "sampling/guidance.h"

typedef struct pld_generation {
    pld_session *session;
    pld_model *model;
    const pld_generate_options *options;
    pld_error *error;
    /* in force */
    int64_t width, height; /* pixels */
    int64_t latent_width, latent_height;
    size_t steps;
    double pladis_scale;
    pld_guidance_options guidance_options;
    const pld_guidance *guidance;
    pld_sampler *sampler;
    /* state */
    size_t count;                  /* numbers in the latents [C, h, w] */
    float *latents;                /* [count] */
    float *model_input;            /* [count] */
    float *noise_pred;             /* [count] */
    float *rows[PLD_BRANCH_COUNT]; /* predictions of the branches, [count] each */
    float *decoded;                /* [3, height, width] */
    pld_rng rng;
    pld_variant_table dense, pladis; /* outside and inside the steps where PLADIS is active */
    int pladis_sites;
    pld_dump dump;
    pld_report report;
    double began;
} pld_generation;

/** Check the options against the model and make the sampler. */
pld_status pld_generation_resolve(pld_generation *g);

/** PLD_ERROR_NUMERIC at NaN or infinity, which ends a run before it becomes a black picture. `call` of the
 * network. */
pld_status pld_generation_check_finite(const pld_generation *g, const float *values, size_t count,
                                       const char *what, size_t call);

/** Encode the prompt of each branch, and compute its keys and values for every cross-attention: once a
 * picture. */
pld_status pld_generation_encode_text(pld_generation *g);

/** Step of the schedule → PLADIS is active: ⌊start·n⌋ <= i < ⌊end·n⌋. */
bool pld_generation_pladis_active(const pld_generation *g, size_t step);

#endif
