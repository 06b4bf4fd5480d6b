/* SPDX-License-Identifier: Apache-2.0 */
/** Qwen3 as a text encoder, transformers' Qwen3Model (Qwen Team 2025, arXiv 2505.09388). */
#ifndef PLD_MODELS_QWEN3_H
#define PLD_MODELS_QWEN3_H

#include "models/blocks/causal.h"

extern const pld_causal_rules pld_qwen3_rules;

/** A pld_json_reader that fills a pld_causal_config. */
pld_status pld_qwen3_config_parse(void *target, const pld_json *top, pld_error *error);

/** `describe` of a pld_part_class. */
pld_status pld_qwen3_describe(const pld_description *description, json_t **config, pld_error *error);

#endif
