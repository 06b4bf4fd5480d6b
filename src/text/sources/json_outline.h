/* SPDX-License-Identifier: Apache-2.0 */
/** A JSON document without its long lists. */
#ifndef PLD_TEXT_SOURCES_JSON_OUTLINE_H
#define PLD_TEXT_SOURCES_JSON_OUTLINE_H

#include <stddef.h>

#include "io/json/read.h"
#include "text/sources/json_cursor.h"

/** A value that is left where it stands. */
typedef struct pld_json_cut {
    const char *object; /**< field of the document that holds an object, e.g. "model" */
    const char *field;  /**< field of that object, e.g. "vocab" */
    const char *begin;  /**< out: its text; NULL: the document has no such list or object */
    size_t length;
} pld_json_cut;

/** Parse `length` bytes with every `cuts[i]` replaced by null, where the value is a list or an object.
 *  Whole numbers that do not fit into 64 bits (transformers writes 10³⁰ for "no limit") become real
 *  ones. The caller gives the document back with json_decref. */
pld_status pld_json_outline(const char *text, size_t length, const char *name, pld_json_cut *cuts,
                            size_t cut_count, json_t **document, pld_error *error);

/** A cursor at the beginning of a cut; the document's text must still be there. */
pld_json_cursor pld_json_cut_cursor(const pld_json_cut *cut, const char *text, const char *name);

#endif
