/* SPDX-License-Identifier: Apache-2.0 */
/** Sources of tokenizers: files that say what a tokenizer is made of. */
#ifndef PLD_TEXT_SOURCES_SOURCE_H
#define PLD_TEXT_SOURCES_SOURCE_H

#include "core/status.h"
#include "text/sources/settings.h"
#include "text/tokenizer_parts.h"

/** What a source fills. `before` and `after` are what its own rules put around a text, unless the
 *  configuration says otherwise. */
typedef struct pld_source_result {
    pld_tokenizer_parts *parts;
    const char *default_roles[PLD_TOKEN_ROLE_COUNT]; /**< where no file names a token; "" or NULL: none */
    char role_texts[PLD_TOKEN_ROLE_COUNT][64];       /**< storage for those that are not constants */
    int32_t before_id, after_id;                     /**< −1: none */
    bool adds_start, adds_end;                       /**< by the rules of the class, whatever else is said */
} pld_source_result;

/** A source: one row. */
typedef struct pld_tokenizer_source {
    pld_tokenizer_file file; /**< which there must be */
    pld_status (*read)(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                       const pld_tokenizer_settings *settings, pld_source_result *result, pld_error *error);
} pld_tokenizer_source;

/* The rows' functions, one file each. */
pld_status pld_source_tokenizer_json(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                     const pld_tokenizer_settings *settings, pld_source_result *result,
                                     pld_error *error);
pld_status pld_source_sentencepiece(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                    const pld_tokenizer_settings *settings, pld_source_result *result,
                                    pld_error *error);
pld_status pld_source_vocabulary(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT],
                                 const pld_tokenizer_settings *settings, pld_source_result *result,
                                 pld_error *error);

/** Read CLIP's files by its own code. */
pld_status pld_source_clip(const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT], const char *name,
                           pld_tokenizer_parts *parts, pld_error *error);

#endif
