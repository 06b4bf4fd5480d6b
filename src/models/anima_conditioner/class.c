/* SPDX-License-Identifier: Apache-2.0 */
#include "models/anima_conditioner/anima_conditioner.h"
#include "models/families/rows.h"

#define MARK "blocks.0.cross_attn.q_proj.weight"

static const char own[] = "Anima";

static const pld_name_rule names[] = {
    PLD_RENAME("embed.", "embed."),   PLD_RENAME("in_proj.", "in_proj."),
    PLD_RENAME("blocks.", "blocks."), PLD_RENAME("out_proj.", "out_proj."),
    PLD_RENAME("norm.", "norm."),     {0},
};

/** Inside the file of the denoiser, or alone. */
static const pld_part_layout layouts[] = {
    {"text_conditioner", own, "net.llm_adapter.", names, MARK, NULL, NULL, NULL, NULL},
    {"text_conditioner", own, "model.diffusion_model.llm_adapter.", names, MARK, NULL, NULL, NULL, NULL},
    {"text_conditioner", own, "diffusion_model.llm_adapter.", names, MARK, NULL, NULL, NULL, NULL},
    {"text_conditioner", own, "llm_adapter.", names, MARK, NULL, NULL, NULL, NULL},
    {"text_conditioner", "diffusers", "text_conditioner.", names, MARK, NULL, NULL, NULL, NULL},
    {"text_conditioner", "diffusers", "", names, MARK, NULL, NULL, NULL, NULL},
    {0},
};

static void facts(const void *config, pld_conditioner_facts *facts) {
    const pld_anima_conditioner_config *c = config;
    *facts = (pld_conditioner_facts){.vocabulary = c->vocabulary,
                                     .source_width = c->source_width,
                                     .source_width_field = "source_dim",
                                     .width = c->target_width,
                                     .least_tokens = c->least_tokens};
}

static const pld_conditioner conditioner = {facts, pld_anima_conditioner_build};

const pld_part_class pld_class_anima_conditioner = {
    .name = "AnimaTextConditioner",
    .title = "text conditioner",
    .role = PLD_ROLE_CONDITIONER,
    .config_bytes = sizeof(pld_anima_conditioner_config),
    .read = pld_anima_conditioner_config_parse,
    .layouts = layouts,
    .describe = pld_anima_conditioner_describe,
    .conditioner = &conditioner,
};
