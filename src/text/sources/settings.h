/* SPDX-License-Identifier: Apache-2.0 */
/** What the small files of a tokenizer folder say: tokens with a role, added tokens, what stands before
 *  and behind. */
#ifndef PLD_TEXT_SOURCES_SETTINGS_H
#define PLD_TEXT_SOURCES_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"
#include "text/tokenizer_parts.h"

/** Tokens with a role, in the order in which transformers adds them. */
typedef enum pld_token_role {
    PLD_TOKEN_START,
    PLD_TOKEN_END,
    PLD_TOKEN_UNKNOWN,
    PLD_TOKEN_SEPARATOR,
    PLD_TOKEN_PAD,
    PLD_TOKEN_CLASS,
    PLD_TOKEN_MASK,
    PLD_TOKEN_ROLE_COUNT
} pld_token_role;

/** Whether a file says yes, no or nothing. */
typedef enum pld_said { PLD_SAID_NOTHING, PLD_SAID_NO, PLD_SAID_YES } pld_said;

/** The documents, which own all strings here; a NULL value: the file is not there. */
typedef struct pld_tokenizer_settings {
    pld_json configuration;
    pld_json special_tokens;
    pld_json added_tokens;
    const char *tokenizer_class;             /**< "" where no file says it */
    const char *roles[PLD_TOKEN_ROLE_COUNT]; /**< content; NULL: not said */
    pld_said adds_start, adds_end;
    int32_t model_max_length; /**< 0: not stated */
    int32_t extra_ids;        /**< of T5; −1: not stated */
} pld_tokenizer_settings;

/** Read the documents that are set. PLD_ERROR_UNSUPPORTED for what would change ids and is not
 *  implemented. */
pld_status pld_tokenizer_settings_read(pld_tokenizer_settings *settings, pld_error *error);

/** Add the tokens that the small files list, after those of the source, and give each one without an id
 *  the next free one. */
pld_status pld_tokenizer_settings_add(const pld_tokenizer_settings *settings, pld_tokenizer_parts *parts,
                                      pld_error *error);

/** Add one token to the list and, unless its piece is there, to the vocabulary: at the id that is
 *  stated, else at the next free one. A stated id must be that of the piece. */
pld_status pld_tokenizer_parts_add(pld_tokenizer_parts *parts, pld_added_token token, const char *name,
                                   pld_error *error);

/** Whether the class begins with `prefix`: T5Tokenizer, T5TokenizerFast. */
bool pld_tokenizer_class_is(const pld_tokenizer_settings *settings, const char *prefix);

#endif
