/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/noise_schedule.h"

#include <math.h>

#include "core/memory.h"
#include "sampling/float_math.h"

static const double HALF_PI = 1.57079632679489661923;
static const double LARGEST_BETA = 0.999;
static const float SMALLEST_ALPHA = 0x1p-24f; /* the smallest positive number of float16 */

/** ᾱ(t) of Nichol & Dhariwal 2021 (arXiv 2102.09672), eq. 17, unnormalised; t in [0, 1]. */
static double squared_cosine(double t) {
    double cosine = cos((t + 0.008) / 1.008 * HALF_PI);
    return cosine * cosine;
}

static double exponential(double t) {
    return exp(t * -12.0);
}

/** betas[count] such that Π (1 − β) follows `alpha_bar`. */
static void betas_of_alpha_bar(double (*alpha_bar)(double), size_t count, float *betas) {
    for (size_t i = 0; i < count; i++) {
        double before = alpha_bar((double)i / (double)count);
        double after = alpha_bar((double)(i + 1) / (double)count);
        betas[i] = (float)fmin(1 - after / before, LARGEST_BETA);
    }
}

static void fill_linear(double first, double last, size_t count, float *values) {
    for (size_t i = 0; i < count; i++) {
        values[i] = pld_linspace_float_at((float)first, (float)last, count, i);
    }
}

/** betas[num_train_timesteps] before any rescaling. */
static void fill_betas(const pld_scheduler_config *config, float *betas) {
    size_t count = (size_t)config->num_train_timesteps;
    if (config->trained_betas.count) {
        for (size_t i = 0; i < count; i++) {
            betas[i] = (float)config->trained_betas.values[i];
        }
        return;
    }
    switch (config->beta_schedule) {
    case PLD_BETAS_SCALED_LINEAR:
        fill_linear(sqrt(config->beta_start), sqrt(config->beta_end), count, betas);
        for (size_t i = 0; i < count; i++) {
            betas[i] *= betas[i];
        }
        break;
    case PLD_BETAS_SQUARED_COSINE:
        betas_of_alpha_bar(squared_cosine, count, betas);
        break;
    case PLD_BETAS_EXP:
        betas_of_alpha_bar(exponential, count, betas);
        break;
    case PLD_BETAS_LINEAR:
    case PLD_BETAS_OTHER: /* refused before */
        fill_linear(config->beta_start, config->beta_end, count, betas);
        break;
    }
}

/** alphas_cumprod[count] = running product of 1 − betas[count]; the product is kept in double, as torch does.
 *  The two may be the same array. */
static void multiply_up(const float *betas, size_t count, float *alphas_cumprod) {
    double product = 1;
    for (size_t i = 0; i < count; i++) {
        product *= (double)(1.0f - betas[i]);
        alphas_cumprod[i] = (float)product;
    }
}

/** Rescale betas[count] in place so that nothing of the signal is left at the last timestep: Lin et al. 2023
 *  (arXiv 2305.08891), algorithm 1. */
static void rescale_to_zero_snr(float *betas, size_t count) {
    multiply_up(betas, count, betas);
    float first = sqrtf(betas[0]);
    float last = sqrtf(betas[count - 1]);
    float scale = first / (first - last);
    float before = 1;
    for (size_t i = 0; i < count; i++) {
        float root = (sqrtf(betas[i]) - last) * scale;
        float alpha_bar = root * root;
        float alpha = i ? alpha_bar / before : alpha_bar;
        betas[i] = 1 - alpha;
        before = alpha_bar;
    }
}

pld_status pld_alphas_cumprod(const pld_scheduler_config *config, float *alphas_cumprod, pld_error *error) {
    size_t count = (size_t)config->num_train_timesteps;
    if (config->trained_betas.count && config->trained_betas.count != count) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'trained_betas' has %zu values, but num_train_timesteps is %zu",
                        config->file, config->trained_betas.count, count);
    }
    float *betas = alphas_cumprod;
    fill_betas(config, betas);
    if (config->rescale_betas_zero_snr) {
        rescale_to_zero_snr(betas, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!(betas[i] >= 0 && betas[i] <= 1)) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: beta %zu of the noise schedule is %g, outside 0…1",
                            config->file, i, (double)betas[i]);
        }
    }
    multiply_up(betas, count, alphas_cumprod);
    return PLD_OK;
}

pld_status pld_sigma_table_create(const pld_scheduler_config *config, float *alphas_cumprod, size_t count,
                                  pld_sigma_table *table, pld_error *error) {
    if (config->rescale_betas_zero_snr) {
        alphas_cumprod[count - 1] = SMALLEST_ALPHA;
    }
    *table = (pld_sigma_table){.count = count,
                               .sigmas = pld_allocate(count, sizeof(float)),
                               .log_sigmas = pld_allocate(count, sizeof(float))};
    if (!table->sigmas || !table->log_sigmas) {
        pld_sigma_table_clear(table);
        return pld_fail_memory(error, 2 * count * sizeof(float), "noise levels");
    }
    for (size_t i = 0; i < count; i++) {
        float sigma = sqrtf((1 - alphas_cumprod[i]) / alphas_cumprod[i]);
        if (!(sigma > 0 && isfinite(sigma)) || (i && sigma < table->sigmas[i - 1])) {
            pld_sigma_table_clear(table);
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: the noise level of training timestep %zu is %g; the betas must give finite "
                            "levels above zero",
                            config->file, i, (double)sigma);
        }
        table->sigmas[i] = sigma;
        table->log_sigmas[i] = pld_log_float(sigma);
    }
    return PLD_OK;
}

void pld_sigma_table_clear(pld_sigma_table *table) {
    pld_free(table->sigmas);
    pld_free(table->log_sigmas);
    *table = (pld_sigma_table){0};
}

double pld_sigma_of_timestep(const pld_sigma_table *table, double timestep) {
    size_t last = table->count - 1;
    if (timestep >= (double)last) {
        return (double)table->sigmas[last];
    }
    if (timestep <= 0) {
        return (double)table->sigmas[0];
    }
    size_t low = (size_t)timestep;
    double sigma = (double)table->sigmas[low];
    double slope = (double)table->sigmas[low + 1] - sigma;
    return slope * (timestep - (double)low) + sigma;
}

double pld_timestep_of_sigma(const pld_sigma_table *table, double sigma) {
    double log_sigma = log(fmax(sigma, 1e-10));
    size_t low = 0; /* the last level not above sigma, but for the very last one */
    size_t high = table->count - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if ((double)table->log_sigmas[middle] <= log_sigma) {
            low = middle;
        } else {
            high = middle;
        }
    }
    float below = table->log_sigmas[low];
    float gap = below - table->log_sigmas[low + 1]; /* rounded to float, as numpy's is */
    double weight = gap < 0 ? ((double)below - log_sigma) / (double)gap : 0;
    weight = fmin(fmax(weight, 0), 1);
    return (1 - weight) * (double)low + weight * (double)(low + 1);
}
