/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/sana/sana.h"

static const pld_part_layout layouts[] = {{0}};

/** What SANA-Sprint's pipeline embeds where nothing else is said. */
static const double sprint_guidance = 4.5;

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_sana_config *c = config;
    *facts = (pld_denoiser_facts){
        .channels = c->channels,
        .output_channels = c->out_channels,
        .multiple = c->patch,
        .least_side = c->patch,
        .sample_size = c->sample_size,
        .state_width = c->caption_width,
        .state_width_field = "caption_channels",
        .perturbed = "0", /* as diffusers' pipeline with PAG */
        .told = c->guidance_embeds ? PLD_SANA_SINUSOIDS : 0,
        /* a network that is told of the guidance scale belongs to SANA-Sprint's pipeline, which leaves times as they are */
        .timestep_scale = c->guidance_embeds ? 0 : c->timestep_scale,
        .distilled_guidance = c->guidance_embeds ? sprint_guidance : 0};
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_sana_build,
    .condition = pld_sana_condition_build,
    .tell = pld_sana_tell,
};

static const char *const unquantised[] = {"patch_embed.", "time_embed.", "caption_projection.", "proj_out.",
                                          NULL};

const pld_part_class pld_class_sana = {
    .name = "SanaTransformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_sana_config),
    .read = pld_sana_config_parse,
    .layouts = layouts,
    .unquantised = unquantised,
    .denoiser = &denoiser,
};
