/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/families/rows.h"
#include "models/sd3/files.h"
#include "models/sd3/sd3.h"

enum { MEDIUM_LAYERS = 24 };

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_sd3_config *c = config;
    *facts = (pld_denoiser_facts){.channels = c->channels,
                                  .output_channels = c->channels,
                                  .multiple = c->patch,
                                  .least_side = c->patch,
                                  .most_side = c->patch * c->places,
                                  .sample_size = c->sample_size,
                                  .state_width = c->text_width,
                                  .state_width_field = "joint_attention_dim",
                                  .pooled_width = c->pooled_width,
                                  .pooled_width_field = "pooled_projection_dim",
                                  .told = c->pooled_width,
                                  .text_joins_time = true,
                                  .text_joins_sample = true,
                                  .skips_blocks = true,
                                  .perturbed = "1"};
    if (c->layers == MEDIUM_LAYERS) {
        snprintf(facts->skipped, sizeof facts->skipped, "7+8+9"); /* by its authors */
    }
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_sd3_build,
    .condition = pld_sd3_condition_build,
    .tell = pld_sd3_tell,
    .recognise = pld_sd3_recognise,
    .tell_prediction = pld_tell_flow_prediction,
};

static const char *const unquantised[] = {"pos_embed.", "context_embedder.", "time_text_embed.",
                                          "norm_out.",  "proj_out.",         NULL};

const pld_part_class pld_class_sd3 = {
    .name = "SD3Transformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_sd3_config),
    .read = pld_sd3_config_parse,
    .layouts = pld_sd3_layouts,
    .strangers = pld_sd3_strangers,
    .unquantised = unquantised,
    .describe = pld_sd3_describe,
    .denoiser = &denoiser,
};
