/* SPDX-License-Identifier: Apache-2.0 */
#include "models/clip/clip.h"
#include "models/families/rows.h"
#include "models/text_encoder.h"

#define CLIP      "text_model.embeddings.token_embedding.weight"
#define CLIP_G    "text_model.encoder.layers.31.mlp.fc1.weight" /* no smaller one has as many layers */
#define OPEN_CLIP "transformer.resblocks.0.attn.in_proj_weight"

static const char transformers[] = "transformers";
static const char open_clip[] = "OpenCLIP";
static const char layers[] = "text_model.encoder.layers.";
static const char own_layers[] = "transformer.resblocks.";

static const pld_part_layout first[] = {
    {"text_encoder", transformers, "cond_stage_model.transformer.", pld_clip_names, CLIP, NULL, NULL, NULL,
     NULL},
    {"text_encoder", transformers, "cond_stage_model.transformer.", pld_clip_names,
     "embeddings.token_embedding.weight", NULL, NULL, NULL, NULL},
    {"text_encoder", open_clip, "cond_stage_model.model.", pld_open_clip_names, OPEN_CLIP, NULL, NULL, layers,
     own_layers},
    {"text_encoder", transformers, "conditioner.embedders.0.transformer.", pld_clip_names, CLIP, NULL, NULL,
     NULL, NULL},
    {"text_encoder", transformers, "text_encoders.clip_l.transformer.", pld_clip_names, CLIP, NULL, NULL,
     NULL, NULL},
    {"text_encoder", transformers, "text_encoder.", pld_clip_names, CLIP, NULL, NULL, NULL, NULL},
    {"text_encoder_2", transformers, "", pld_clip_names, CLIP_G, NULL, NULL, NULL, NULL},
    {"text_encoder", transformers, "", pld_clip_names, CLIP, NULL, NULL, NULL, NULL},
    {0},
};

static const pld_part_layout second[] = {
    {"text_encoder_2", open_clip, "conditioner.embedders.1.model.", pld_open_clip_names, OPEN_CLIP, NULL,
     NULL, layers, own_layers},
    {"text_encoder_2", transformers, "text_encoders.clip_g.transformer.", pld_clip_names, CLIP, NULL, NULL,
     NULL, NULL},
    {"text_encoder_2", transformers, "text_encoder_2.", pld_clip_names, CLIP, NULL, NULL, NULL, NULL},
    {0},
};

/** Numbers from 0 up, in old files. */
#define POSITION_IDS "text_model.embeddings.position_ids", "embeddings.position_ids"

static const char *const unused[] = {POSITION_IDS, NULL};
static const char *const unused_without_projection[] = {POSITION_IDS, "text_projection.weight", NULL};
static const char *const unsaved_projection[] = {"text_projection.weight", NULL};

/** The id of the end token; published configurations have 2 for the last one. */
static int64_t end_of(const pld_clip_config *c) {
    return c->eos_token_id == 2 ? c->vocabulary - 1 : c->eos_token_id;
}

static bool same(const void *config, const void *other) {
    const pld_clip_config *a = config, *b = other;
    return a->vocabulary == b->vocabulary && a->width == b->width && a->intermediate == b->intermediate &&
           a->layers == b->layers && a->heads == b->heads && a->positions == b->positions &&
           a->activation == b->activation && a->epsilon == b->epsilon && end_of(a) == end_of(b);
}

static void projection_facts(const void *config, pld_text_encoder_facts *facts) {
    const pld_clip_config *c = config;
    *facts = (pld_text_encoder_facts){.vocabulary = c->vocabulary,
                                      .width = c->width,
                                      .layers = c->layers,
                                      .positions = c->positions,
                                      .projection = c->projection};
}

/** Without a projection the pooled state is as wide as the others. */
static void facts(const void *config, pld_text_encoder_facts *facts) {
    projection_facts(config, facts);
    facts->projection = facts->width;
}

static const pld_text_encoder_class text_encoder = {facts, pld_clip_build};
static const pld_text_encoder_class text_encoder_with_projection = {projection_facts,
                                                                    pld_clip_projection_build};

const pld_part_class pld_class_clip_text = {
    .name = "CLIPTextModel",
    .title = "text encoder",
    .model_type = "clip_text_model",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_clip_config),
    .read = pld_clip_config_parse,
    .layouts = first,
    .unused = unused_without_projection,
    .unsaved = unsaved_projection,
    .same = same,
    .describe = pld_clip_describe,
    .text_encoder = &text_encoder,
};

const pld_part_class pld_class_clip_text_projection = {
    .name = "CLIPTextModelWithProjection",
    .title = "text encoder",
    .model_type = "clip_text_model",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_clip_config),
    .read = pld_clip_config_parse,
    .layouts = second,
    .unused = unused,
    .identity = "text_projection.weight",
    .same = same,
    .describe = pld_clip_describe,
    .text_encoder = &text_encoder_with_projection,
};
