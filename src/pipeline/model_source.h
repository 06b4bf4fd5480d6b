/* SPDX-License-Identifier: Apache-2.0 */
/** Where a model comes from. A layout on disk is one function here (pld_model_source_open chooses); what
 * reads the configurations and binds the networks does not know which it is. */
#ifndef PLD_PIPELINE_MODEL_SOURCE_H
#define PLD_PIPELINE_MODEL_SOURCE_H

#include "io/weight_files.h"
#include "models/families.h"

typedef struct pld_model_source {
    const char *layout; /**< "diffusers" */
    char *path;         /**< as it was given */
    char *folder; /**< has model_index.json, PART/config.json, tokenizer*, scheduler/ as diffusers lays them
                     out */
    /** Open the weights of one part under diffusers' names; the caller closes `*files`. */
    pld_status (*open_weights)(const struct pld_model_source *source, const pld_family_part *part,
                               pld_weight_files **files, pld_error *error);
} pld_model_source;

/** Recognise what lies at `path`. On failure too the source is given back with pld_model_source_close. */
pld_status pld_model_source_open(const char *path, pld_model_source *source, pld_error *error);

void pld_model_source_close(pld_model_source *source);

#endif
