/* SPDX-License-Identifier: Apache-2.0 */
/** Tokens that are recognised whole inside a text, whatever the model would make of them. */
#ifndef PLD_TEXT_STEPS_ADDED_TOKENS_H
#define PLD_TEXT_STEPS_ADDED_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"
#include "text/steps/normaliser.h"
#include "text/vocabulary/trie.h"
#include "text/vocabulary/vocabulary.h"

enum {
    PLD_ADDED_TOKENS_LIMIT = 1 << 14, /**< Gemma 3 has some 6,400 */
    PLD_ADDED_TOKEN_BYTES = 512       /**< bounds the work at each byte of a text */
};

/** One added token, with the flags of the tokenizers library. */
typedef struct pld_added_token {
    const char *content; /**< owned by the list once added */
    int32_t id;
    bool special;
    bool normalized;  /**< looked for in the normal text, else in the text as it is written */
    bool lstrip;      /**< takes the white space in front along */
    bool rstrip;      /**< and that behind */
    bool single_word; /**< only where no letter or digit stands beside it */
} pld_added_token;

/** Starts as {0}. */
typedef struct pld_added_tokens {
    pld_added_token *tokens; /**< [count] */
    size_t count;
    size_t capacity;
    pld_vocabulary contents; /**< index by content */
    pld_trie tries[2];       /**< [normalized] index by what is looked for */
} pld_added_tokens;

/** A token given as "text" or {"content": "text", "lstrip": …}; `token->content` belongs to the
 *  document. A token given as text counts as special. */
pld_status pld_added_token_read(const pld_json *at, bool special, pld_added_token *token, pld_error *error);

/** Add a token. One whose content is there already changes nothing, as in the tokenizers library; nor
 *  does an empty one. `name` is the file for messages. */
pld_status pld_added_tokens_add(pld_added_tokens *added, pld_added_token token, const char *name,
                                pld_error *error);

/** Whether a token of this content is there. */
bool pld_added_tokens_has(const pld_added_tokens *added, const char *content);

/** To be called after the last addition. */
pld_status pld_added_tokens_finish(pld_added_tokens *added, const pld_normaliser *normaliser,
                                   const char *name, pld_error *error);

/** Called with the stretches of a text in order: `id` of a token, or −1 and what lies between. */
typedef pld_status (*pld_stretch_visitor)(void *context, const char *text, size_t length, int32_t id,
                                          pld_error *error);

/** Cut the tokens with this flag out of well-formed UTF-8: the leftmost first, of several there the
 *  longest. */
pld_status pld_added_tokens_visit(const pld_added_tokens *added, bool normalized, const char *text,
                                  size_t length, pld_stretch_visitor visitor, void *context,
                                  pld_error *error);

void pld_added_tokens_free(pld_added_tokens *added);

#endif
