/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/gemma2/gemma2.h"

#define MARK "layers.0.pre_feedforward_layernorm.weight"

static const pld_part_layout layouts[] = {
    PLD_CAUSAL_LAYOUT("text_encoder.", MARK),
    PLD_CAUSAL_LAYOUT("model.", MARK),
    PLD_CAUSAL_LAYOUT("", MARK),
    {0},
};

static const char *const other_names[] = {"Gemma2ForCausalLM", NULL};

static const pld_stranger strangers[] = {{"q_norm.", "a Gemma 3 text encoder, which is not supported"}, {0}};

static pld_status build(pld_plan *plan, const void *config, const pld_text_request *request,
                        pld_text_values *values, pld_error *error) {
    return pld_causal_build(&pld_gemma2_rules, config, plan, request, values, error);
}

static const pld_text_encoder_class text_encoder = {pld_causal_facts, build};

static const char *const unquantised[] = {"embed_tokens.", ".embed_tokens.", NULL};

const pld_part_class pld_class_gemma2 = {
    .name = "Gemma2Model",
    .other_names = other_names,
    .title = "text encoder",
    .model_type = "gemma2",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_causal_config),
    .read = pld_gemma2_config_parse,
    .layouts = layouts,
    .strangers = strangers,
    .unused = pld_causal_unused,
    .unquantised = unquantised,
    .describe = pld_gemma2_describe,
    .text_encoder = &text_encoder,
};
