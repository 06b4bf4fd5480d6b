/* SPDX-License-Identifier: Apache-2.0 */
/** Tokens that are recognised whole inside a text: start, end and padding token, and those a model adds. */
#ifndef PLD_TEXT_CLIP_ADDED_TOKENS_H
#define PLD_TEXT_CLIP_ADDED_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum { PLD_CLIP_ADDED_TOKENS_LIMIT = 1024 }; /* bounds the work at each byte of a prompt */

/** One added token. */
typedef struct pld_clip_added_token {
    char *content; /**< as it is looked for: normalised when `normalized` is set */
    size_t length;
    int32_t id;
    bool normalized; /**< looked for in the normalised text, else in the text as it is written */
} pld_clip_added_token;

/** Starts as {0}. */
typedef struct pld_clip_added_tokens {
    pld_clip_added_token *tokens;
    size_t count;
    size_t capacity;
    bool first_bytes[2][256]; /**< [normalized][byte]: some token begins with it */
} pld_clip_added_tokens;

/** Add a token, or replace what was said about the same id before. Empty content is passed over.
 *  `name` is the tokenizer's folder for messages. */
pld_status pld_clip_added_tokens_add(pld_clip_added_tokens *added, const char *content, int32_t id,
                                     bool normalized, const char *name, pld_error *error);

/** To be called after the last addition. */
void pld_clip_added_tokens_finish(pld_clip_added_tokens *added);

/** The leftmost token in the text, the longest of several that begin there, among those with this flag.
 *  NULL: none, else `*place` is where it begins. */
const pld_clip_added_token *pld_clip_added_tokens_find(const pld_clip_added_tokens *added, bool normalized,
                                                       const char *text, size_t length, size_t *place);

void pld_clip_added_tokens_free(pld_clip_added_tokens *added);

#endif
