/* SPDX-License-Identifier: Apache-2.0 */
/** The weight syntax of prompts, as A1111's parse_prompt_attention reads it: text → parts of equal weight.
 *
 *  (x) multiplies by 1.1, [x] divides by 1.1, (x:1.3) multiplies by 1.3; brackets nest; \( \) \[ \] \\ are
 *  the plain characters, and a backslash before anything else, or at the end, goes away; a bracket left open
 *  counts to the end; a closing bracket without an opening one is text.
 *
 *  The word BREAK, with the white space around it, is a part of its own of weight −1, which ends a chunk.
 *  Brackets multiply that weight, too: as long as it stays −1 it is a break, otherwise a word of the prompt.
 *
 *  A weight is an optional sign and digits with at most one dot (".5", "1.", digits of any script). Anything
 *  else after a colon ("(a:b)", "(a:.)", "(a:1.2.3)", "(a:1e3)") is text, and the bracket counts as 1.1; at
 *  "(a:.)" and "(a:1.2.3)" A1111 fails. */
#ifndef PLD_TEXT_PROMPT_WEIGHTS_H
#define PLD_TEXT_PROMPT_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

enum {
    PLD_PROMPT_WEIGHT_LIMIT =
        1000000, /**< beyond it a float32 state soon overflows: an error that names the text */
    PLD_PROMPT_DEPTH_LIMIT = 256 /**< brackets of one kind open at the same time */
};

/** A run of text with one weight, or a break. */
typedef struct pld_prompt_part {
    char *text; /**< UTF-8, owned, ends with a NUL that `length` does not count; "BREAK" in a break */
    size_t length;
    double weight; /**< may be zero or negative; −1 in a break */
    bool is_break;
} pld_prompt_part;

/** The parts of a prompt in order; starts as {0}. */
typedef struct pld_prompt_parts {
    pld_prompt_part *parts;
    size_t count;
    size_t capacity;
    size_t break_words; /**< BREAKs that the brackets around them made words of the prompt */
} pld_prompt_parts;

/** Parse `length` bytes. At least one part comes out ("" for an empty prompt); neighbours of equal weight are
 *  one part. Bytes that are not UTF-8 become U+FFFD. PLD_ERROR_ARGUMENT: a weight or a depth beyond the
 * limits. On failure `parts` is empty. Free with pld_prompt_parts_free. */
pld_status pld_prompt_parse(const char *text, size_t length, pld_prompt_parts *parts, pld_error *error);

/** Free the parts and empty the list. */
void pld_prompt_parts_free(pld_prompt_parts *parts);

#endif
