/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/t5/t5.h"
#include "models/text_encoder.h"

#define MARK "encoder.block.0.layer.0.SelfAttention.q.weight"

/* The first text encoder of one family is the second or third of another, so no layout names its part. ComfyUI's files of a
 * whole model have the first prefix, its files of a text encoder none. */
#define LAYOUT(prefix_)                                                                                      \
    { .naming = "transformers", .prefix = (prefix_), .names = pld_t5_names, .mark = MARK }
static const pld_part_layout layouts[] = {
    LAYOUT("text_encoders.t5xxl.transformer."),
    LAYOUT("text_encoder_2."),
    LAYOUT("text_encoder_3."),
    LAYOUT("text_encoder."),
    LAYOUT("transformer."),
    LAYOUT(""),
    {.naming = "llama.cpp", .prefix = "", .names = pld_t5_gguf_names, .mark = "enc.blk.0.attn_rel_b.weight"},
    {0},
};

static const pld_stranger strangers[] = {
    {"dec.blk.", "a whole T5 with its decoder, which is not supported"},
    {"enc.blk.1.attn_rel_b.", "a UMT5 text encoder, which is not supported"},
    {"decoder.block.", "a whole T5 with its decoder, which is not supported"},
    {"block.0.layer.1.DenseReluDense.wi.weight", "a T5 of the first version, which is not supported"},
    {"block.1.layer.0.SelfAttention.relative_attention_bias.", "a UMT5 text encoder, which is not supported"},
    {0},
};

/** The embedding under its other name. */
static const char *const unused[] = {"shared.weight", "encoder.embed_tokens.weight", NULL};

static void facts(const void *config, pld_text_encoder_facts *facts) {
    const pld_t5_config *c = config;
    *facts = (pld_text_encoder_facts){.vocabulary = c->vocabulary, .width = c->width, .layers = c->layers};
}

static const pld_text_encoder_class text_encoder = {facts, pld_t5_build};

static const char *const unquantised[] = {"shared.", "encoder.embed_tokens.", ".relative_attention_bias.",
                                          NULL};

const pld_part_class pld_class_t5 = {
    .name = "T5EncoderModel",
    .title = "text encoder",
    .model_type = "t5",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_t5_config),
    .read = pld_t5_config_parse,
    .layouts = layouts,
    .strangers = strangers,
    .unused = unused,
    .unquantised = unquantised,
    .describe = pld_t5_describe,
    .text_encoder = &text_encoder,
};
