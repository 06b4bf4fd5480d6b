/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/zimage/files.h"
#include "models/zimage/zimage.h"

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_zimage_config *c = config;
    *facts = (pld_denoiser_facts){.channels = c->channels,
                                  .output_channels = c->channels,
                                  .multiple = PLD_ZIMAGE_PATCH,
                                  .least_side = PLD_ZIMAGE_PATCH,
                                  .state_width = c->text_width,
                                  .state_width_field = "cap_feat_dim",
                                  .text_joins_time = true, /* the picture stands behind its caption */
                                  .text_joins_sample = true,
                                  .text_multiple = PLD_ZIMAGE_MULTIPLE,
                                  .perturbed = "0", /* its blocks have no self-attention that could be */
                                  .timestep_end = 1000,
                                  .timestep_divisor = 1000,
                                  .negated = true};
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_zimage_build,
    .condition = pld_zimage_condition_build,
    .recognise = pld_zimage_recognise,
    .tell_prediction = pld_tell_flow_prediction,
};

static const char *const unquantised[] = {
    "all_x_embedder.",  "all_final_layer.", "t_embedder.", "cap_embedder.",
    "context_refiner.", "noise_refiner.",   NULL};

const pld_part_class pld_class_zimage = {
    .name = "ZImageTransformer2DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_zimage_config),
    .read = pld_zimage_config_parse,
    .layouts = pld_zimage_layouts,
    .strangers = pld_zimage_strangers,
    .unused = pld_zimage_unused,
    .unsaved = pld_zimage_unused,
    .unquantised = unquantised,
    .describe = pld_zimage_describe,
    .denoiser = &denoiser,
};
