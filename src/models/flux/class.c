/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/flux/files.h"
#include "models/flux/flux.h"

/** What dev's pipeline embeds where nothing else is said. */
static const double dev_guidance = 3.5;
/** Schnell was distilled with shorter texts than dev has. */
enum { SCHNELL_TOKENS = 256 };

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_flux_config *c = config;
    *facts = (pld_denoiser_facts){.channels = pld_flux_channels(c),
                                  .output_channels = pld_flux_channels(c),
                                  .multiple = PLD_FLUX_PATCH,
                                  .least_side = PLD_FLUX_PATCH,
                                  .packed = PLD_FLUX_PATCH,
                                  .state_width = c->text_width,
                                  .state_width_field = "joint_attention_dim",
                                  .pooled_width = c->pooled_width,
                                  .pooled_width_field = "pooled_projection_dim",
                                  .told = c->pooled_width + (c->guidance_embeds ? PLD_FLUX_SINUSOIDS : 0),
                                  .text_joins_time = true,
                                  .text_joins_sample = true,
                                  .text_tokens = c->guidance_embeds ? 0 : SCHNELL_TOKENS,
                                  .perturbed = "0", /* it has no self-attention that could be */
                                  .timestep_divisor = 1000,
                                  .distilled_guidance = c->guidance_embeds ? dev_guidance : 0};
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_flux_build,
    .condition = pld_flux_condition_build,
    .tell = pld_flux_tell,
    .recognise = pld_flux_recognise,
    .tell_prediction = pld_tell_flow_prediction,
};

static const char *const unquantised[] = {"x_embedder.", "context_embedder.", "time_text_embed.",
                                          "norm_out.",   "proj_out.",         NULL};

const pld_part_class pld_class_flux = {
    .name = "FluxTransformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_flux_config),
    .read = pld_flux_config_parse,
    .layouts = pld_flux_layouts,
    .strangers = pld_flux_strangers,
    .unquantised = unquantised,
    .describe = pld_flux_describe,
    .denoiser = &denoiser,
};
