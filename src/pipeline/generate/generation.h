/* SPDX-License-Identifier: Apache-2.0 */
/** One generation while it runs: the stages of generate.c share it. */
#ifndef PLD_PIPELINE_GENERATE_GENERATION_H
#define PLD_PIPELINE_GENERATE_GENERATION_H

#include "pipeline/generate/preset.h"
#include "pipeline/observe/attention_statistics.h"
#include "pipeline/observe/dump.h"
#include "pipeline/session/session.h"
#include "sampling/guidance.h"

typedef struct pld_generation {
    pld_session *session;
    pld_model *model;
    const pld_generate_options *options; /* the caller's, then &filled */
    pld_generate_options filled;         /* with what the preset says */
    const pld_preset *preset;            /* NULL: none */
    pld_error *error;
    /* in force */
    int64_t width, height; /* pixels */
    int64_t latent_width, latent_height;
    size_t steps;
    double pladis_scale;
    const char *instruction;   /* in front of the prompt; NULL: none */
    double distilled_guidance; /* 0: the model is told of none */
    pld_guidance_chain guidance;
    pld_block_scales block_scales; /* of FreeU, if has_block_scales */
    bool has_block_scales;
    pld_sampler *sampler;
    /* state */
    size_t count;                  /* numbers in the latents [C, h, w] */
    float *latents;                /* [count] */
    float *model_input;            /* [count] */
    float *noise_pred;             /* [count] */
    float *rows[PLD_BRANCH_COUNT]; /* predictions of the branches, [count] each; NULL: never needed */
    float *decoded;                /* [3, height, width] */
    /* of a run that begins at a picture */
    size_t first_call;
    float *image_latents; /* [count], scaled, without noise */
    float *noise;         /* [count], unit */
    bool *redrawn;        /* [h, w], NULL without a mask */
    pld_rng rng;
    pld_variant_table dense, pladis; /* outside and inside the steps where PLADIS is active */
    int pladis_sites;
    pld_dump dump;
    pld_attention_statistics *statistics; /* NULL: not asked for */
    pld_report report;
    double began;
} pld_generation;

/** Branches that some step of the run evaluates. */
pld_branch_set pld_generation_branches(const pld_generation *g);

/** Check the options against the model and make the sampler. */
pld_status pld_generation_resolve(pld_generation *g);

/** PLD_ERROR_NUMERIC at NaN or infinity, which ends a run before it becomes a black picture. `call` of the
 * network. The message names a weight that is not finite, if a part with this role has one. */
pld_status pld_generation_check_finite(const pld_generation *g, const float *values, size_t count,
                                       const char *what, size_t call, pld_part_role role);

/** Encode the prompt of each branch, and compute its keys and values for every cross-attention: once a
 * picture. */
pld_status pld_generation_encode_text(pld_generation *g);

/** "all", or a comma list of unconditional, conditional, perturbed → branches. */
pld_status pld_pladis_branches(const char *text, pld_branch_set *branches, pld_error *error);

/** Step of the schedule → PLADIS is active: ⌊start·n⌋ <= i < ⌊end·n⌋. */
bool pld_generation_pladis_active(const pld_generation *g, size_t step);

/** What pld_generate_options_init gives. */
pld_generate_options pld_generate_defaults(void);

#endif
