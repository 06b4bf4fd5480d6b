/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/cosmos/cosmos.h"
#include "models/families/rows.h"

#define COSMOS    "x_embedder.proj.1.weight"
#define DIFFUSERS "time_embed.t_embedder.linear_1.weight"

static const char cosmos[] = "Cosmos";

static const pld_part_layout layouts[] = {
    {"transformer", cosmos, "net.", pld_cosmos_names, COSMOS, NULL, NULL, NULL, NULL},
    {"transformer", cosmos, "model.diffusion_model.", pld_cosmos_names, COSMOS, NULL, NULL, NULL, NULL},
    {"transformer", cosmos, "diffusion_model.", pld_cosmos_names, COSMOS, NULL, NULL, NULL, NULL},
    {"transformer", cosmos, "", pld_cosmos_names, COSMOS, NULL, NULL, NULL, NULL},
    {"transformer", "diffusers", "transformer.", pld_diffusers_cosmos_names, DIFFUSERS, NULL, NULL, NULL,
     NULL},
    {"transformer", "diffusers", "", pld_diffusers_cosmos_names, DIFFUSERS, NULL, NULL, NULL, NULL},
    {0},
};

static void facts(const void *config, pld_denoiser_facts *facts) {
    const pld_cosmos_config *c = config;
    *facts = (pld_denoiser_facts){.channels = c->channels,
                                  .output_channels = c->out_channels,
                                  .multiple = c->patch,
                                  .least_side = c->patch,
                                  .state_width = c->text_width,
                                  .state_width_field = "text_embed_dim",
                                  .timestep_scale = 1e-3};
    /* Nothing is published; the middle is what does least harm in other networks. */
    snprintf(facts->perturbed, sizeof facts->perturbed, "%d", (int)(c->layers / 2));
}

/** Nothing else of this shape is published with an adapter; a network without one lacks its conditioner. */
static pld_status recognise(const pld_weight_files *weights, const char **published, pld_error *error) {
    (void)weights;
    (void)error;
    *published = "anima";
    return PLD_OK;
}

static const pld_denoiser denoiser = {
    .facts = facts,
    .build = pld_cosmos_build,
    .condition = pld_cosmos_condition_build,
    .recognise = recognise,
    .tell_prediction = pld_tell_flow_prediction,
};

static const char *const unquantised[] = {"patch_embed.", "time_embed.", "norm_out.", "proj_out.", NULL};

const pld_part_class pld_class_cosmos = {
    .name = "CosmosTransformer3DModel",
    .title = "transformer",
    .role = PLD_ROLE_DENOISER,
    .config_bytes = sizeof(pld_cosmos_config),
    .read = pld_cosmos_config_parse,
    .layouts = layouts,
    .unquantised = unquantised,
    .describe = pld_cosmos_describe,
    .denoiser = &denoiser,
};
