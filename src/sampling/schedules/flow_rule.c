/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/flow_rule.h"

#include <string.h>

#include "sampling/float_math.h"

double pld_flow_line(const pld_scheduler_config *config, size_t image_tokens, size_t steps) {
    (void)steps;
    double base = (double)config->base_image_seq_len;
    double slope = (config->max_shift - config->base_shift) / ((double)config->max_image_seq_len - base);
    return (double)image_tokens * slope + (config->base_shift - slope * base);
}

/** FLUX.2's μ: between a line for 10 steps and one for 200, above 4300 tokens the latter alone. */
static double empirical_mu(const pld_scheduler_config *config, size_t image_tokens, size_t steps) {
    (void)config;
    double tokens = (double)image_tokens;
    double at_10 = 8.73809524e-05 * tokens + 1.89833333;
    double at_200 = 0.00016927 * tokens + 0.45666666;
    if (image_tokens > 4300) {
        return at_200;
    }
    double slope = (at_200 - at_10) / 190;
    return slope * (double)steps + (at_200 - 200 * slope);
}

static double turbo_mu(const pld_scheduler_config *config, size_t image_tokens, size_t steps) {
    (void)config;
    (void)image_tokens;
    (void)steps;
    return 1.15;
}

/** 1, (n − 1)/n, …, 1/n. */
static void place_fractions(size_t steps, double *sigmas) {
    for (size_t i = 0; i < steps; i++) {
        sigmas[i] = pld_linspace_at(1, 1 / (double)steps, steps, i);
    }
}

/** The same by torch's single-precision linspace. */
static void place_float_fractions(size_t steps, double *sigmas) {
    for (size_t i = 0; i < steps; i++) {
        sigmas[i] = (double)pld_linspace_float_at(1, (float)(1 / (double)steps), steps, i);
    }
}

static const pld_flow_rule training_ends = {
    .name = "training_ends", .description = "the scheduler's own linear schedule (Stable Diffusion 3, SANA)"};
static const pld_flow_rule fractions = {
    .name = "fractions", .description = "1 to 1/n (Qwen-Image, Anima, Krea 2)", .place = place_fractions};
static const pld_flow_rule flux = {.name = "flux",
                                   .description = "1 to 1/n; 10000 training levels (FLUX.1)",
                                   .place = place_fractions,
                                   .training_levels = 10000};
static const pld_flow_rule z_image = {.name = "z_image",
                                      .description = "1 to 1/n in single precision (Z-Image)",
                                      .place = place_float_fractions};
static const pld_flow_rule flux2 = {.name = "flux2",
                                    .description = "1 to 1/n, shifted by image tokens and steps (FLUX.2)",
                                    .place = place_fractions,
                                    .mu = empirical_mu,
                                    .training_levels = 10000};
static const pld_flow_rule krea2_turbo = {.name = "krea2_turbo",
                                          .description = "1 to 1/n, shifted by e^1.15 (Krea 2 Turbo)",
                                          .place = place_fractions,
                                          .mu = turbo_mu};

static const pld_flow_rule *const rows[] = {&training_ends, &fractions,   &flux, &z_image,
                                            &flux2,         &krea2_turbo, NULL};

const pld_flow_rule *const *pld_flow_rules(void) {
    return rows;
}

const pld_flow_rule *pld_flow_rule_find(const char *name) {
    for (size_t i = 0; rows[i]; i++) {
        if (strcmp(rows[i]->name, name) == 0) {
            return rows[i];
        }
    }
    return NULL;
}
