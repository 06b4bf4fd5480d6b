/* SPDX-License-Identifier: Apache-2.0 */
/** From a normal text to words, each of which the model treats by itself: steps one after the other, as
 *  a tokenizer's files list them. Each step cuts what the one before gave. */
#ifndef PLD_TEXT_STEPS_SPLITTER_H
#define PLD_TEXT_STEPS_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "io/json/read.h"
#include "text/steps/normaliser.h"
#include "text/steps/pattern.h"

/** What becomes of the matches of a pattern: the names of the tokenizers library. */
typedef enum pld_split_behavior {
    PLD_SPLIT_REMOVED,
    PLD_SPLIT_ISOLATED,
    PLD_SPLIT_MERGED_WITH_PREVIOUS,
    PLD_SPLIT_MERGED_WITH_NEXT,
    PLD_SPLIT_CONTIGUOUS
} pld_split_behavior;

/** Whether Metaspace puts its mark in front of a stretch of text. */
typedef enum pld_prefix { PLD_PREFIX_ALWAYS, PLD_PREFIX_FIRST, PLD_PREFIX_NEVER } pld_prefix;

/** One step; which fields count is its kind's business. */
typedef struct pld_splitter_step {
    const struct pld_splitter_kind *kind;
    pld_text_pattern *pattern; /**< NULL: no split */
    pld_split_behavior behavior;
    bool invert; /**< matches are what lies between the pattern's */
    char mark[8];
    size_t mark_length; /**< of Metaspace */
    pld_prefix prefix;
    bool splits;
} pld_splitter_step;

/** Starts as {0}. */
typedef struct pld_splitter {
    pld_splitter_step steps[PLD_TOKENIZER_STEPS];
    size_t count;
    bool byte_level; /**< words are bytes, each of which stands for a letter of the vocabulary */
} pld_splitter;

/** Append the steps of tokenizer.json's "pre_tokenizer" at `at` (a value of NULL: none). */
pld_status pld_splitter_read(pld_splitter *splitter, const pld_json *at, pld_error *error);

/** Append steps for files that describe none. `name` is the file for messages. */
pld_status pld_splitter_add_pattern(pld_splitter *splitter, const char *pattern, const char *name,
                                    pld_error *error); /**< isolated */
pld_status pld_splitter_add_white_space(pld_splitter *splitter, const char *name, pld_error *error);
pld_status pld_splitter_add_metaspace(pld_splitter *splitter, bool splits, const char *name,
                                      pld_error *error);
pld_status pld_splitter_add_byte_level(pld_splitter *splitter, const char *name, pld_error *error);

/** GPT-2's pattern, which a ByteLevel step of tokenizer.json applies unless it says otherwise. */
extern const char pld_gpt2_pattern[];

/** Called with each word in order, none of them empty. `first`: it begins where the whole text begins. */
typedef pld_status (*pld_word_visitor)(void *context, const char *word, size_t length, bool first,
                                       pld_error *error);

/** Visit the words of a stretch of well-formed UTF-8. */
pld_status pld_splitter_visit(const pld_splitter *splitter, const char *text, size_t length, bool first,
                              pld_word_visitor visitor, void *context, pld_error *error);

void pld_splitter_free(pld_splitter *splitter);

#endif
