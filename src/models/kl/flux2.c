/* SPDX-License-Identifier: Apache-2.0 */
/* The autoencoder of FLUX.2. Its latents, a patch of four side by side, are scaled by means and variances of a batch norm. */
#include <math.h>

#include "models/autoencoder.h"
#include "models/families/rows.h"
#include "models/kl/kl.h"

#define MARK "bn.running_mean"

static const char levels[] = "decoder.up.%d.block.0.conv1.weight";
static const char diffusers_levels[] = "decoder.up_blocks.%d.resnets.0.conv1.weight";

/* Both namings have the statistics under one name, so a layout is told by a tensor beside them. */
#define ORIGINAL(prefix_)                                                                                    \
    {                                                                                                        \
        .part = "vae", .naming = "Black Forest Labs", .prefix = (prefix_), .names = pld_kl_flux2_names,      \
        .mark = "encoder.quant_conv.weight", .levels = levels, .diffusers_levels = diffusers_levels          \
    }
#define DIFFUSERS(prefix_)                                                                                   \
    {                                                                                                        \
        .part = "vae", .naming = "diffusers", .prefix = (prefix_), .names = pld_diffusers_kl_flux2_names,    \
        .mark = MARK                                                                                         \
    }

static const pld_part_layout layouts[] = {
    ORIGINAL("vae."), ORIGINAL("first_stage_model."), ORIGINAL(""), DIFFUSERS("vae."), DIFFUSERS(""), {0},
};

/** How many batches the statistics were taken of. */
static const char *const unused[] = {"bn.num_batches_tracked", NULL};

static void facts(const void *config, pld_autoencoder_facts *facts) {
    const pld_kl_config *c = config;
    *facts = (pld_autoencoder_facts){.factor = ((int64_t)1 << (c->levels - 1)) * c->patch,
                                     .channels = pld_kl_channels(c),
                                     .patch = c->patch,
                                     .no_moments = true};
    pld_autoencoder_scale_all(facts, 1, 0);
}

/** Read a vector of all channels; random weights give none, and `*found` is false. */
static pld_status read_vector(pld_parameters *parameters, const char *name, int64_t channels, float *values,
                              bool *found, pld_error *error) {
    pld_parameter *parameter = NULL;
    PLD_TRY(pld_parameters_bind(parameters, name, 1, &channels, &parameter, error));
    *found = parameter != NULL;
    return parameter ? pld_parameter_read(parameter, 0, (size_t)channels, values, error) : PLD_OK;
}

/** Denoisers work on (x − mean) / √(variance + ε). */
static pld_status read_statistics(const void *config, pld_parameters *parameters,
                                  pld_autoencoder_facts *facts, pld_error *error) {
    const pld_kl_config *c = config;
    float mean[PLD_MOST_LATENT_CHANNELS] = {0}, variance[PLD_MOST_LATENT_CHANNELS] = {0};
    bool found = false;
    PLD_TRY(read_vector(parameters, "bn.running_mean", facts->channels, mean, &found, error));
    PLD_TRY(read_vector(parameters, "bn.running_var", facts->channels, variance, &found, error));
    for (int64_t i = 0; found && i < facts->channels; i++) {
        const float spread = variance[i] + (float)c->statistics_epsilon;
        if (!(spread > 0 && isfinite(spread) && isfinite(mean[i]))) {
            return pld_fail(error, PLD_ERROR_NUMERIC,
                            "%s: tensors 'bn.running_mean' and 'bn.running_var': expected finite numbers and "
                            "variances that are not negative, found %g and %g for channel %lld; download or "
                            "convert the file again",
                            pld_parameters_path(parameters), (double)mean[i], (double)variance[i],
                            (long long)i);
        }
        facts->shift[i] = mean[i];
        facts->scale[i] = 1 / sqrtf(spread);
    }
    return PLD_OK;
}

static const pld_autoencoder autoencoder = {.facts = facts,
                                            .decoder = pld_kl_decoder_build,
                                            .encoder = pld_kl_encoder_build,
                                            .read_statistics = read_statistics};

const pld_part_class pld_class_kl_flux2 = {
    .name = "AutoencoderKLFlux2",
    .title = "autoencoder",
    .role = PLD_ROLE_AUTOENCODER,
    .config_bytes = sizeof(pld_kl_config),
    .read = pld_kl_flux2_config_parse,
    .layouts = layouts,
    .unused = unused,
    .describe = pld_kl_flux2_describe,
    .autoencoder = &autoencoder,
};
