/* SPDX-License-Identifier: Apache-2.0 */
/** Anima's text conditioner, diffusers' AnimaTextConditioner, "llm_adapter" in its authors' file: embeddings of T5's ids
 *  attend to themselves and to Qwen3's states. The network was grown on a denoiser that knew T5. */
#ifndef PLD_MODELS_ANIMA_CONDITIONER_H
#define PLD_MODELS_ANIMA_CONDITIONER_H

#include "models/conditioner.h"
#include "models/layouts/names.h"

/** config.json of an AnimaTextConditioner. */
typedef struct pld_anima_conditioner_config {
    int64_t source_width; /**< source_dim: of the text encoder's states */
    int64_t target_width; /**< target_dim: of the embedding and of what comes out */
    int64_t width;        /**< model_dim */
    int64_t layers, heads;
    int64_t hidden; /**< of the feed-forward layers: mlp_ratio times the width */
    int64_t vocabulary;
    int64_t least_tokens; /**< min_sequence_length */
} pld_anima_conditioner_config;

/** A pld_json_reader that fills a pld_anima_conditioner_config. */
pld_status pld_anima_conditioner_config_parse(void *target, const pld_json *top, pld_error *error);

/** pld_conditioner.build */
pld_status pld_anima_conditioner_build(pld_plan *plan, const void *config,
                                       const pld_conditioner_request *request, pld_conditioner_values *values,
                                       pld_error *error);

/** pld_part_class.describe */
pld_status pld_anima_conditioner_describe(const pld_description *description, json_t **config,
                                          pld_error *error);

#endif
