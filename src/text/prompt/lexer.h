/* SPDX-License-Identifier: Apache-2.0 */
/** The signs of the weight syntax, as prompt_weights reads them. */
#ifndef PLD_TEXT_PROMPT_LEXER_H
#define PLD_TEXT_PROMPT_LEXER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum pld_prompt_token_kind {
    PLD_PROMPT_TEXT,   /**< a run of ordinary characters or a lone colon */
    PLD_PROMPT_ESCAPE, /**< a backslash and the bracket or backslash that it makes plain, or nothing */
    PLD_PROMPT_ROUND_OPEN,
    PLD_PROMPT_ROUND_CLOSE,
    PLD_PROMPT_SQUARE_OPEN,
    PLD_PROMPT_SQUARE_CLOSE,
    PLD_PROMPT_WEIGHT /**< ": 1.3 )" */
} pld_prompt_token_kind;

typedef struct pld_prompt_token {
    pld_prompt_token_kind kind;
    size_t begin; /**< bytes from the start of the prompt */
    size_t length;
    double weight; /**< of PLD_PROMPT_WEIGHT */
} pld_prompt_token;

/** The token at `at` < length of well-formed UTF-8. */
pld_prompt_token pld_prompt_next_token(const char *text, size_t length, size_t at);

/** Find the first BREAK that is a word of its own: `*before` is where it begins, `*after` where it ends, both
 *  with the white space around it. */
bool pld_prompt_find_break(const char *text, size_t length, size_t *before, size_t *after);

#endif
