/* SPDX-License-Identifier: Apache-2.0 */
/** Kinds of steps; for splitter*.c alone. */
#ifndef PLD_TEXT_STEPS_SPLITTER_INTERNAL_H
#define PLD_TEXT_STEPS_SPLITTER_INTERNAL_H

#include "text/steps/splitter.h"

/** A kind of step: its name in tokenizer.json, how its settings are read, how it cuts. */
typedef struct pld_splitter_kind {
    const char *name;
    pld_status (*read)(pld_splitter_step *step, const pld_json *at,
                       pld_error *error); /**< NULL: no settings */
    pld_status (*split)(const pld_splitter_step *step, const char *text, size_t length, bool first,
                        pld_word_visitor visitor, void *context, pld_error *error);
} pld_splitter_kind;

/** The table; `count` rows. */
const pld_splitter_kind *pld_splitter_kinds(size_t *count);

#endif
