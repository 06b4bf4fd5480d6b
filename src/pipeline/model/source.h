/* SPDX-License-Identifier: Apache-2.0 */
/** Where a model comes from: configurations, tokenizers and weights by diffusers' names, whether they lie in
 * a folder as diffusers lays them out, in one file of another layout, or in several of either.
 */
#ifndef PLD_PIPELINE_MODEL_SOURCE_H
#define PLD_PIPELINE_MODEL_SOURCE_H

#include "core/log.h"
#include "io/json/read.h"
#include "models/families.h"
#include "models/layouts/describe.h"
#include "models/layouts/layouts.h"
#include "pipeline/model/installed_files.h"
#include "pladis/pladis.h"
#include "text/tokenizer.h"

/** A document of a diffusers folder that is not, or not as it is, in `folder`. */
typedef struct pld_source_document {
    char *
        inside; /**< "unet/config.json"; NULL until the family is known, of weights that may be several parts */
    const pld_part_class *class; /**< of such weights; else NULL */
    char *name;                  /**< for messages */
    json_t *json;
} pld_source_document;

/** A file or folder of weights that was named: the checkpoint itself, --unet, --vae, --text-encoder, its second and third. */
typedef struct pld_source_files {
    pld_weight_files *files;
    pld_layout_contents contents;
} pld_source_files;

enum {
    PLD_SOURCE_CHECKPOINT,
    PLD_SOURCE_DENOISER,
    PLD_SOURCE_AUTOENCODER,
    PLD_SOURCE_TEXT_ENCODER,
    PLD_SOURCE_TEXT_ENCODER_2,
    PLD_SOURCE_TEXT_ENCODER_3, /**< which of them is which their tensors tell */
    PLD_SOURCE_FILES
};
enum { PLD_SOURCE_DOCUMENTS = 10 };

typedef struct pld_model_source {
    const char *layout; /**< "diffusers", "single file (latent diffusion)" */
    char *path;         /**< as it was given */
    const char *index;  /**< name of the document with the pipeline and its parts, "model_index.json" */
    char *folder;       /**< a diffusers folder, for what the files do not hold; NULL without one */
    /** read off a single file, beside weights that were named, or changed by what a file says of itself:
     * before the folder's own; [document_count] */
    pld_source_document documents[PLD_SOURCE_DOCUMENTS];
    int document_count;
    char *tokenizer;  /**< folder or file to take tokenizers from; NULL: the model's own */
    char *vocabulary; /**< CLIP's published vocabulary, for models without a tokenizer; may be NULL */
    pld_installed_folders installed; /**< where others may be, and what else models lack */
    pld_source_files files[PLD_SOURCE_FILES];
    const pld_published *published; /**< that a single file is most like; NULL for a folder */
    const pld_family *family;       /**< its family */
    bool random;                    /**< the weights are made up, the folder has none */
    bool alone; /**< the denoiser is wanted, with its conditioner; parts of other roles may be missing */
    pld_told_prediction prediction; /**< of a denoiser in a file that was named; else type is NULL */
} pld_model_source;

/** Recognise what lies at `path`. `options` may be NULL; `alone` is the source's field. What was noticed on the way goes to
 * `log`. On failure too the source is given back with pld_model_source_close. */
pld_status pld_model_source_open(const char *path, const pld_model_options *options, bool alone,
                                 const pld_log *log, pld_model_source *source, pld_error *error);

/** Whether a part of this role is not wanted. */
static inline bool pld_model_source_omits(const pld_model_source *source, pld_part_role role) {
    return source->alone && role != PLD_ROLE_DENOISER && role != PLD_ROLE_CONDITIONER;
}

void pld_model_source_close(pld_model_source *source);

/** Hand the document that a diffusers folder has at `inside` ("unet/config.json") to `read`. */
pld_status pld_model_source_json(const pld_model_source *source, const char *inside, pld_json_reader read,
                                 void *target, pld_error *error);

/** Whether there is such a document. */
pld_status pld_model_source_has(const pld_model_source *source, const char *inside, bool *there,
                                pld_error *error);

/** A document that the source holds itself, or NULL: it is in the folder if anywhere. */
const json_t *pld_model_source_document(const pld_model_source *source, const char *inside);

/** The weights of one part of `class` with this configuration (NULL: all that files hold) under diffusers' names; the
 * caller closes `*files`. What is noticed goes to `log`. */
pld_status pld_model_source_weights(const pld_model_source *source, const pld_family_part *part,
                                    const pld_part_class *class, const void *config, const pld_log *log,
                                    pld_weight_files **files, pld_error *error);

/** The tokenizer of a text encoder; the caller closes `*tokenizer`. */
pld_status pld_model_source_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                      pld_tokenizer **tokenizer, pld_error *error);

/** Of source->tokenizer, where that is a folder: the one inside that holds the files for this text encoder, its own or the
 * first's, or itself. The caller frees `*folder`. `*own`: whether it is of this encoder alone. */
pld_status pld_model_source_given_tokenizer(const pld_model_source *source, const pld_family_part *part,
                                            char **folder, bool *own, pld_error *error);

/** The text of the token with which texts for a text encoder are filled up, where its tokenizer does not say. */
const char *pld_model_source_pad(const pld_model_source *source, const pld_family_part *part);

/* ---- for source*.c */

/** Find out what the document with the pipeline is called in source->folder. */
pld_status pld_model_source_find_index(pld_model_source *source, pld_error *error);

/** Open the single file at source->path and read its documents off the tensors, or take them from the folder
 *  `config`. */
pld_status pld_model_source_open_single(pld_model_source *source, const char *config, const pld_log *log,
                                        pld_error *error);

/** Open the weights of a part with this role given by themselves. The configuration that lies beside the weights in a
 * folder is theirs, and becomes a document. */
pld_status pld_source_files_open(pld_model_source *source, const char *path, pld_part_role role,
                                 pld_source_files *files, const pld_log *log, pld_error *error);

/** Take `json` over as the document at `inside`, called `name` (copied) in messages; NULL json: memory is
 * out. */
pld_status pld_model_source_add(pld_model_source *source, const char *inside, const char *name, json_t *json,
                                pld_error *error);

/** The same of the config.json of whichever part of the family is of `class`. */
pld_status pld_model_source_add_of(pld_model_source *source, const pld_part_class *class, const char *name,
                                   json_t *json, pld_error *error);

/** Where weights for the denoiser were named beside a folder: find out what they predict, and make the
 * scheduler's document say so. */
pld_status pld_model_source_tell(pld_model_source *source, const pld_log *log, pld_error *error);

/** What counts for a network of which its file tells `*told` beside a folder with this scheduler_config.json.
 *  `describes`: the folder was given to describe the file (--config), so what it states goes before a guess;
 *  else it belongs to another network, and goes before nothing at all. */
pld_status pld_told_beside_scheduler(const json_t *scheduler, const char *file, bool describes,
                                     pld_told_prediction *told, pld_error *error);

/** Now that the family is known, settle which parts the documents beside named weights are of. */
pld_status pld_model_source_settle(pld_model_source *source, const pld_family *family, pld_error *error);

/** The named files that hold `part`, and how; NULL when none does. */
const pld_source_files *pld_model_source_holder(const pld_model_source *source, const pld_family_part *part,
                                                const pld_layout_part **found);

/** The same of the denoiser, whatever its name. */
const pld_source_files *pld_model_source_denoiser(const pld_model_source *source,
                                                  const pld_layout_part **found);

#endif
