/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/flux2/files.h"
#include "models/flux2/flux2.h"

/** What dev's pipeline embeds where nothing else is said. */
static const double dev_guidance = 4;

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_flux2_config *c = config;
    *facts = (pld_denoiser_facts){.channels = c->channels,
                                  .output_channels = c->channels,
                                  .multiple = 1,
                                  .least_side = 1,
                                  .packed = 1,
                                  .state_width = c->text_width,
                                  .state_width_field = "joint_attention_dim",
                                  .told = c->guidance_embeds ? c->sinusoids : 0,
                                  .text_joins_time = true, /* tokens of other texts are equal nowhere */
                                  .text_joins_sample = true,
                                  .perturbed = "0", /* it has no self-attention that could be */
                                  .timestep_divisor = 1000,
                                  .distilled_guidance = c->guidance_embeds ? dev_guidance : 0};
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_flux2_build,
    .condition = pld_flux2_condition_build,
    .tell = pld_flux2_tell,
    .recognise = pld_flux2_recognise,
    .tell_prediction = pld_tell_flow_prediction,
};

static const char *const unquantised[] = {"x_embedder.", "context_embedder.", "time_guidance_embed.",
                                          "norm_out.",   "proj_out.",         NULL};

const pld_part_class pld_class_flux2 = {
    .name = "Flux2Transformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_flux2_config),
    .read = pld_flux2_config_parse,
    .layouts = pld_flux2_layouts,
    .strangers = pld_flux2_strangers,
    .unquantised = unquantised,
    .describe = pld_flux2_describe,
    .denoiser = &denoiser,
};
