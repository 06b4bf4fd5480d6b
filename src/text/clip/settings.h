/* SPDX-License-Identifier: Apache-2.0 */
/** What the small files of a tokenizer folder say: special tokens, added tokens, the greatest length.
 *
 *  The order of the sources is that of transformers: tokenizer_config.json's `added_tokens_decoder` settles
 * the added tokens; without one, special_tokens_map.json overrides the tokens that tokenizer_config.json
 * names, and added_tokens.json and the list in tokenizer.json add theirs. */
#ifndef PLD_TEXT_CLIP_SETTINGS_H
#define PLD_TEXT_CLIP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"
#include "text/clip/tokenizer.h"

/** A token to be added to the vocabulary, or marked in it as recognised whole. The flags that play no part in
 * the ids are kept because transformers compares them when it looks for repetitions. */
typedef struct pld_clip_token_setting {
    char *content;
    int64_t id;   /**< as stated by the file; −1: wherever the vocabulary has it, else the next free one */
    bool is_text; /**< the file gives a string, not an object with flags */
    bool special; /**< "special" */
    bool strips[2];        /**< "lstrip", "rstrip" */
    bool normalized;       /**< looked for after normalisation */
    bool normalized_given; /**< the file says so itself */
} pld_clip_token_setting;

/** Tokens with a role, in the order in which transformers adds them. */
typedef enum pld_clip_role {
    PLD_CLIP_START,
    PLD_CLIP_END,
    PLD_CLIP_UNKNOWN,
    PLD_CLIP_SEPARATOR,
    PLD_CLIP_PAD,
    PLD_CLIP_CLASS,
    PLD_CLIP_MASK,
    PLD_CLIP_ROLE_COUNT
} pld_clip_role;

/** Starts as {0}; owns its strings. */
typedef struct pld_clip_settings {
    pld_clip_token_setting roles[PLD_CLIP_ROLE_COUNT]; /**< content NULL: there is no such token */
    pld_clip_token_setting *tokens;                    /**< to be added in this order */
    size_t count;
    size_t capacity;
    size_t listed; /**< so many of `tokens` come from a list of added tokens, the rest from the roles */
    int32_t model_max_length; /**< 0: not stated */
} pld_clip_settings;

/** The JSON documents of a folder; NULL for a file that is not there. */
typedef struct pld_clip_documents {
    const pld_json *tokenizer;
    const pld_json *configuration;
    const pld_json *special_tokens;
    const pld_json *added_tokens;
} pld_clip_documents;

/** Read them. The caller frees `settings` in any case. */
pld_status pld_clip_settings_read(const pld_clip_documents *documents, pld_clip_settings *settings,
                                  pld_error *error);

/** "bos_token" and so on. */
const char *pld_clip_role_name(pld_clip_role role);

void pld_clip_settings_free(pld_clip_settings *settings);

#endif
