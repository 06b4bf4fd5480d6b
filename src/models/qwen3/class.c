/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/qwen3/qwen3.h"

#define MARK "layers.0.self_attn.q_norm.weight"

/* Files of one part, and those of ComfyUI that hold a whole model. */
static const pld_part_layout layouts[] = {
    PLD_CAUSAL_LAYOUT("text_encoder.", MARK),
    PLD_CAUSAL_LAYOUT("text_encoders.qwen3_06b.transformer.model.", MARK),
    PLD_CAUSAL_LAYOUT("text_encoders.qwen3_4b.transformer.model.", MARK),
    PLD_CAUSAL_LAYOUT("text_encoders.qwen3_8b.transformer.model.", MARK),
    PLD_CAUSAL_LAYOUT("model.", MARK),
    PLD_CAUSAL_LAYOUT("", MARK),
    {.part = "text_encoder",
     .naming = "llama.cpp",
     .prefix = "",
     .names = pld_causal_gguf_names,
     .mark = "blk.0.attn_q_norm.weight"},
    {0},
};

static const char *const other_names[] = {"Qwen3ForCausalLM", NULL};

static const pld_stranger strangers[] = {
    {"pre_feedforward_layernorm.", "a Gemma 3 text encoder, which is not supported"}, {0}};

static pld_status build(pld_plan *plan, const void *config, const pld_text_request *request,
                        pld_text_values *values, pld_error *error) {
    return pld_causal_build(&pld_qwen3_rules, config, plan, request, values, error);
}

static const pld_text_encoder_class text_encoder = {pld_causal_facts, build};

static const char *const unquantised[] = {"embed_tokens.", ".embed_tokens.", NULL};

const pld_part_class pld_class_qwen3 = {
    .name = "Qwen3Model",
    .other_names = other_names,
    .title = "text encoder",
    .model_type = "qwen3",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_causal_config),
    .read = pld_qwen3_config_parse,
    .layouts = layouts,
    .strangers = strangers,
    .unused = pld_causal_unused,
    .unquantised = unquantised,
    .describe = pld_qwen3_describe,
    .text_encoder = &text_encoder,
};
