/* SPDX-License-Identifier: Apache-2.0 */
/** The words that a model was trained on, where it brings their list: what a prompt says besides. */
#ifndef PLD_TEXT_PROMPT_KNOWN_WORDS_H
#define PLD_TEXT_PROMPT_KNOWN_WORDS_H

#include <stddef.h>

#include "core/status.h"

/** Immutable: any number of threads may ask. */
typedef struct pld_known_words pld_known_words;

enum {
    PLD_KNOWN_WORDS_MOST = 65536, /**< a list is for models of a small world */
    PLD_KNOWN_WORD_BYTES = 64
};

/** Take over a list in its own order. PLD_ERROR_FORMAT, beginning with `name`, for a word that is none in the
 *  sense of CLIP's word pattern (one run of lower-case letters, or one digit), one that is too long or there
 *  twice, and for too many. */
pld_status pld_known_words_create(const char *const *words, size_t count, const char *name,
                                  pld_known_words **known, pld_error *error);
void pld_known_words_destroy(pld_known_words **known);

/** The list; `*count` of them. */
const char *const *pld_known_words_list(const pld_known_words *known, size_t *count);

/** Called with each word of a text that is not in the list, in lower case; punctuation is no word. */
typedef pld_status (*pld_unknown_word_visitor)(void *context, const char *word, size_t length,
                                               pld_error *error);

/** Visit the unknown words of `length` bytes of well-formed UTF-8, in order and as often as they stand. */
pld_status pld_known_words_visit_others(const pld_known_words *known, const char *text, size_t length,
                                        pld_unknown_word_visitor visitor, void *context, pld_error *error);

#endif
