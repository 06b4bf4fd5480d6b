/* SPDX-License-Identifier: Apache-2.0 */
#include "models/families/rows.h"
#include "models/t5/t5.h"
#include "models/text_encoder.h"

static const pld_part_layout layouts[] = {{0}};

/** The embedding under its other name. */
static const char *const unused[] = {"shared.weight", "encoder.embed_tokens.weight", NULL};

static void facts(const void *config, pld_text_encoder_facts *facts) {
    const pld_t5_config *c = config;
    *facts = (pld_text_encoder_facts){.vocabulary = c->vocabulary, .width = c->width, .layers = c->layers};
}

static const pld_text_encoder_class text_encoder = {facts, pld_t5_build};

const pld_part_class pld_class_t5 = {
    .name = "T5EncoderModel",
    .title = "text encoder",
    .model_type = "t5",
    .role = PLD_ROLE_TEXT_ENCODER,
    .config_bytes = sizeof(pld_t5_config),
    .read = pld_t5_config_parse,
    .layouts = layouts,
    .unused = unused,
    .text_encoder = &text_encoder,
};
