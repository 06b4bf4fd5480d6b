/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "models/classes.h"
#include "models/families/rows.h"
#include "models/qwen_vae/qwen_vae.h"

/** Of the published autoencoder, whose configuration and diffusers' class state them. */
enum { PUBLISHED_CHANNELS = 16 };
static const double published_mean[PUBLISHED_CHANNELS] = {
    -0.7571, -0.7089, -0.9113, 0.1075,  -0.1745, 0.9653,  -0.1517, 1.5508,
    0.4134,  -0.0715, 0.5517,  -0.3632, -0.1922, -0.9497, 0.2503,  -0.2921};
static const double published_deviation[PUBLISHED_CHANNELS] = {2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708,
                                                               2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579,
                                                               1.6382, 1.1253, 2.8251, 1.9160};

/** A number for each channel; what is absent is the published autoencoder's, if that has as many. */
static pld_status read_channels(const pld_json *top, const char *field, int64_t channels,
                                const double *published, double *values, pld_error *error) {
    size_t count = 0;
    if (!pld_json_has(top, field) && channels == PUBLISHED_CHANNELS) {
        memcpy(values, published, PUBLISHED_CHANNELS * sizeof *values);
        return PLD_OK;
    }
    PLD_TRY(
        pld_json_get_numbers(top, field, PLD_JSON_REQUIRED, PLD_MOST_LATENT_CHANNELS, values, &count, error));
    return (int64_t)count == channels
               ? PLD_OK
               : pld_fail(
                     error, PLD_ERROR_FORMAT,
                     "%s: field '%s': expected a number for each of %lld latent channels (z_dim), found %zu",
                     top->file, field, (long long)channels, count);
}

static pld_status read_latents(const pld_json *top, pld_qwen_vae_config *c, pld_error *error) {
    PLD_TRY(read_channels(top, "latents_mean", c->latent_channels, published_mean, c->mean, error));
    PLD_TRY(read_channels(top, "latents_std", c->latent_channels, published_deviation, c->deviation, error));
    for (int64_t i = 0; i < c->latent_channels; i++) {
        if (!(c->deviation[i] > 1e-6 && c->deviation[i] < 1e6) || !(c->mean[i] > -1e6 && c->mean[i] < 1e6)) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "%s: fields 'latents_mean[%lld]' and 'latents_std[%lld]': expected a number and a "
                "positive one below 1e6, found %g and %g",
                top->file, (long long)i, (long long)i, c->mean[i], c->deviation[i]);
        }
    }
    return PLD_OK;
}

/** Widths of the levels. Every way up halves the channels. */
static pld_status read_widths(const pld_json *top, pld_qwen_vae_config *c, pld_error *error) {
    int64_t factors[PLD_QWEN_VAE_MOST_LEVELS] = {1, 2, 4, 4};
    size_t levels = 4;
    PLD_TRY(pld_json_get_integer(top, "base_dim", PLD_JSON_OPTIONAL, 1, 1 << 12, &c->base, error));
    PLD_TRY(pld_json_get_integers(top, "dim_mult", PLD_JSON_OPTIONAL, 1, 64, PLD_QWEN_VAE_MOST_LEVELS,
                                  factors, &levels, error));
    if (levels == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: field 'dim_mult' is empty", top->file);
    }
    c->levels = (int64_t)levels;
    for (int64_t i = 0; i < c->levels; i++) {
        c->widths[i] = c->base * factors[i];
        if (i > 0 && c->widths[i] % 2 != 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: field 'dim_mult[%lld]': expected an even number of channels, found %lld",
                            top->file, (long long)i, (long long)c->widths[i]);
        }
    }
    return PLD_OK;
}

static pld_status read_fields(const pld_json *top, pld_qwen_vae_config *c, pld_error *error) {
    int64_t colours = 3;
    pld_json scales;
    static const bool published_halves[] = {false, true, true};
    PLD_TRY(pld_class_check_config(top, &pld_class_qwen_vae, error));
    PLD_TRY(read_widths(top, c, error));
    PLD_TRY(pld_json_get_integer(top, "num_res_blocks", PLD_JSON_OPTIONAL, 1, 16, &c->layers, error));
    PLD_TRY(pld_json_get_integer(top, "z_dim", PLD_JSON_OPTIONAL, 1, PLD_MOST_LATENT_CHANNELS,
                                 &c->latent_channels, error));
    PLD_TRY(pld_json_get_integer(top, "input_channels", PLD_JSON_OPTIONAL, 3, 3, &colours, error));
    PLD_TRY(pld_json_array(top, "attn_scales", PLD_JSON_OPTIONAL, &scales, error));
    if (scales.value && json_array_size(scales.value) > 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field 'attn_scales': expected no attention outside the middle block, found %zu",
                        top->file, json_array_size(scales.value));
    }
    if (!pld_json_has(top, "temperal_downsample") && c->levels == 4) {
        memcpy(c->halves_frames, published_halves, sizeof published_halves);
    } else {
        PLD_TRY(pld_json_get_bool_or_list(top, "temperal_downsample", PLD_JSON_REQUIRED,
                                          (size_t)c->levels - 1, c->halves_frames, error));
    }
    return read_latents(top, c, error);
}

pld_status pld_qwen_vae_config_parse(void *target, const pld_json *top, pld_error *error) {
    pld_qwen_vae_config *config = target;
    *config = (pld_qwen_vae_config){.base = 96, .layers = 2, .latent_channels = PUBLISHED_CHANNELS};
    return read_fields(top, config, error);
}
