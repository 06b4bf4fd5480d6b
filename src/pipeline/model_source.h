/* SPDX-License-Identifier: Apache-2.0 */
/** Where a model comes from: configurations, tokenizers and weights by diffusers' names, whether they lie in
 * a folder as diffusers lays them out, in one file of another layout, or in several of either.
 */
#ifndef PLD_PIPELINE_MODEL_SOURCE_H
#define PLD_PIPELINE_MODEL_SOURCE_H

#include "core/log.h"
#include "io/clip_tokenizer.h"
#include "io/json.h"
#include "models/families.h"
#include "models/layouts/describe.h"
#include "models/layouts/layouts.h"
#include "pladis/pladis.h"

/** A file or folder of weights that was named: the checkpoint itself, --unet, --vae. */
typedef struct pld_source_files {
    pld_weight_files *files;
    pld_layout_contents contents;
} pld_source_files;

enum { PLD_SOURCE_CHECKPOINT, PLD_SOURCE_UNET, PLD_SOURCE_VAE, PLD_SOURCE_FILES };

typedef struct pld_model_source {
    const char *layout; /**< "diffusers", "single file (latent diffusion)" */
    char *path;         /**< as it was given */
    char *folder;       /**< a diffusers folder, for what the files do not hold; NULL without one */
    json_t *documents;  /**< path in a diffusers folder → document, read off a single file; else NULL */
    char *tokenizer;    /**< folder or file to take tokenizers from; NULL: the model's own */
    char *vocabulary;   /**< CLIP's published vocabulary, for models without a tokenizer; may be NULL */
    pld_source_files files[PLD_SOURCE_FILES];
    const pld_single_family *family; /**< of a single file; NULL for a folder */
    bool random;                     /**< the weights are made up, the folder has none */
    pld_told_prediction prediction;  /**< of a single file without --config */
} pld_model_source;

/** Recognise what lies at `path`. `options` may be NULL. What was noticed on the way goes to `log`. On
 * failure too the source is given back with pld_model_source_close. */
pld_status pld_model_source_open(const char *path, const pld_model_options *options, const pld_log *log,
                                 pld_model_source *source, pld_error *error);

void pld_model_source_close(pld_model_source *source);

/** Hand the document that a diffusers folder has at `inside` ("unet/config.json") to `read`. */
pld_status pld_model_source_json(const pld_model_source *source, const char *inside, pld_json_reader read,
                                 void *target, pld_error *error);

/** Whether there is such a document. */
pld_status pld_model_source_has(const pld_model_source *source, const char *inside, bool *there,
                                pld_error *error);

/** The weights of one part under diffusers' names; the caller closes `*files`. */
pld_status pld_model_source_weights(const pld_model_source *source, const pld_family_part *part,
                                    pld_weight_files **files, pld_error *error);

/** The tokenizer of a text encoder; the caller closes `*tokenizer`. */
pld_status pld_model_source_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                      pld_clip_tokenizer **tokenizer, pld_error *error);

/* ---- for model_source*.c */

/** Open the single file at source->path and read its documents off the tensors, or take them from the folder
 *  `config`. */
pld_status pld_model_source_open_single(pld_model_source *source, const char *config, const pld_log *log,
                                        pld_error *error);

/** Open the weights of a part given by themselves. */
pld_status pld_source_files_open(const char *path, const char *part, pld_source_files *files,
                                 const pld_log *log, pld_error *error);

/** The named files that hold `part`, and in which layout; NULL when none does. */
const pld_source_files *pld_model_source_holder(const pld_model_source *source, const char *part,
                                                const pld_part_layout **layout);

#endif
