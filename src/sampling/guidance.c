/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/guidance.h"

#include <math.h>
#include <string.h>

static void combine_none(const pld_guidance_options *options, const float *const *predictions, size_t count,
                         float *noise_pred) {
    (void)options;
    memcpy(noise_pred, predictions[0], count * sizeof *noise_pred);
}

/** Standard deviation with n − 1, as torch's. */
static double deviation(const float *x, size_t count) {
    double mean = 0;
    for (size_t i = 0; i < count; i++) {
        mean += x[i];
    }
    mean /= (double)count;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (x[i] - mean) * (x[i] - mean);
    }
    return sqrt(squares / (double)(count > 1 ? count - 1 : 1));
}

/** φ·x·std(c)/std(x) + (1 − φ)·x: Lin et al. 2023, arXiv 2305.08891, section 3.4. */
static void rescale(double phi, const float *conditional, size_t count, float *noise_pred) {
    double guided = deviation(noise_pred, count);
    if (guided == 0) {
        return;
    }
    const float factor = (float)(phi * deviation(conditional, count) / guided + (1 - phi));
    for (size_t i = 0; i < count; i++) {
        noise_pred[i] *= factor;
    }
}

/** u + s·(c − u): Ho & Salimans 2022, arXiv 2207.12598. */
static void combine_cfg(const pld_guidance_options *options, const float *const *predictions, size_t count,
                        float *noise_pred) {
    const float scale = (float)options->cfg_scale;
    const float *unconditional = predictions[0];
    const float *conditional = predictions[1];
    for (size_t i = 0; i < count; i++) {
        noise_pred[i] = unconditional[i] + scale * (conditional[i] - unconditional[i]);
    }
    if (options->cfg_rescale > 0) {
        rescale(options->cfg_rescale, conditional, count, noise_pred);
    }
}

const pld_guidance pld_guidance_none = {.name = "none",
                                        .description =
                                            "the conditional prediction alone; 1 evaluation a step",
                                        .branch_count = 1,
                                        .branches = {PLD_BRANCH_CONDITIONAL},
                                        .combine = combine_none};

const pld_guidance pld_guidance_cfg = {.name = "cfg",
                                       .description =
                                           "classifier-free guidance u + s (c - u), with optional rescale "
                                           "(Ho & Salimans 2022, arXiv 2207.12598; "
                                           "Lin et al. 2023, arXiv 2305.08891); 2 evaluations a step",
                                       .branch_count = 2,
                                       .branches = {PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL},
                                       .combine = combine_cfg};

const pld_guidance *const pld_guidances[] = {&pld_guidance_none, &pld_guidance_cfg, NULL};

const pld_guidance *pld_guidance_for_scale(double cfg_scale) {
    return cfg_scale > 1 ? &pld_guidance_cfg : &pld_guidance_none;
}
