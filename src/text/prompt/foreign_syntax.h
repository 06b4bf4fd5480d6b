/* SPDX-License-Identifier: Apache-2.0 */
/** Prompt syntax of other programs that is not supported here, so that nobody takes it for understood. */
#ifndef PLD_TEXT_PROMPT_FOREIGN_SYNTAX_H
#define PLD_TEXT_PROMPT_FOREIGN_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/** One kind of syntax. */
typedef struct pld_foreign_syntax {
    const char *mark; /**< text without which the pattern cannot match, so that plain prompts cost nothing */
    const char *pattern; /**< a regular expression, see text/unicode/pattern.h */
    const char *name;    /**< what it is and whose: "A1111's alternation" */
    const char *taken;   /**< what happens with it, and the remedy if there is one */
    bool of_prompt;      /**< in a negative prompt its own program takes it for words, too */
} pld_foreign_syntax;

/** Syntax that was found: its first place in the text and how many there are. */
typedef struct pld_foreign_match {
    const pld_foreign_syntax *syntax;
    size_t begin, length;
    size_t count;
} pld_foreign_match;

/** Called for each kind of syntax that a text holds, in the order of the table. */
typedef void (*pld_foreign_visitor)(void *context, const pld_foreign_match *match);

/** Look for all kinds in `length` bytes of well-formed UTF-8 whose brackets are not deeper than the weight
 *  syntax allows (pld_prompt_parse has accepted them). PLD_ERROR_MEMORY alone. */
pld_status pld_foreign_syntax_visit(const char *text, size_t length, bool negative,
                                    pld_foreign_visitor visitor, void *context, pld_error *error);

#endif
