/* SPDX-License-Identifier: Apache-2.0 */
/** Gemma 2 as a text encoder, transformers' Gemma2Model (Gemma Team 2024, arXiv 2408.00118). */
#ifndef PLD_MODELS_GEMMA2_H
#define PLD_MODELS_GEMMA2_H

#include "models/blocks/causal.h"

extern const pld_causal_rules pld_gemma2_rules;

/** A pld_json_reader that fills a pld_causal_config. */
pld_status pld_gemma2_config_parse(void *target, const pld_json *top, pld_error *error);

/** `describe` of a pld_part_class. */
pld_status pld_gemma2_describe(const pld_description *description, json_t **config, pld_error *error);

#endif
