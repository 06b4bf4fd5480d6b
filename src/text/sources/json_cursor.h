/* SPDX-License-Identifier: Apache-2.0 */
/** Reading one long list of JSON from its text, value by value.
 *
 *  A tokenizer.json holds up to a million strings. A tree of them takes more time and memory than all
 *  that becomes of them, so vocabularies and merges are read where they stand; everything else goes
 *  through io/json/read.h. */
#ifndef PLD_TEXT_SOURCES_JSON_CURSOR_H
#define PLD_TEXT_SOURCES_JSON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** Where the reading stands. Borrows the text and the file's name. */
typedef struct pld_json_cursor {
    const char *begin; /**< of the whole document, to count lines for messages */
    const char *at;
    const char *end;
    const char *name;
    char *scratch; /**< owned: the last string that had escapes */
    size_t scratch_capacity;
} pld_json_cursor;

void pld_json_cursor_free(pld_json_cursor *cursor);

/** Step over white space and then over `wanted` if it comes next; false: something else does. */
bool pld_json_cursor_take(pld_json_cursor *cursor, char wanted);

/** The next character that is no white space, or NUL at the end. */
char pld_json_cursor_peek(pld_json_cursor *cursor);

/** The same as pld_json_cursor_take; something else is an error. */
pld_status pld_json_cursor_expect(pld_json_cursor *cursor, char wanted, pld_error *error);

/** To the next element of a list or object that ends in `close`: `*more` false when it is over. `first`
 *  is true behind the opening bracket. */
pld_status pld_json_cursor_next(pld_json_cursor *cursor, bool first, char close, bool *more,
                                pld_error *error);

/** A string, decoded; valid until the next one. */
pld_status pld_json_cursor_string(pld_json_cursor *cursor, const char **text, size_t *length,
                                  pld_error *error);

/** A finite number. */
pld_status pld_json_cursor_number(pld_json_cursor *cursor, double *value, pld_error *error);

/** A whole number from 0 to INT32_MAX. */
pld_status pld_json_cursor_id(pld_json_cursor *cursor, int32_t *value, pld_error *error);

/** PLD_ERROR_FORMAT "FILE: line N: expected EXPECTED, found …". */
pld_status pld_json_cursor_refuse(const pld_json_cursor *cursor, const char *expected, pld_error *error);

#endif
