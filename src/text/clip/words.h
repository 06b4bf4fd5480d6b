/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's word pattern: normalised text → words, each of which byte-pair encoding treats by itself. */
#ifndef PLD_TEXT_CLIP_WORDS_H
#define PLD_TEXT_CLIP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/** A compiled pattern; immutable and shared between threads. */
typedef struct pld_clip_words pld_clip_words;

/** Compile the pattern. NULL when memory is out (`error` says so). */
pld_status pld_clip_words_open(pld_clip_words **words, pld_error *error);
void pld_clip_words_close(pld_clip_words *words);

/** Called with each word in order; a failure ends the walk and is passed on. */
typedef pld_status (*pld_clip_word_visitor)(void *context, const char *word, size_t length, pld_error *error);

/** Visit the words of `length` bytes of well-formed UTF-8; white space between words is left out. */
pld_status pld_clip_words_visit(const pld_clip_words *words, const char *text, size_t length,
                                pld_clip_word_visitor visitor, void *context, pld_error *error);

#endif
