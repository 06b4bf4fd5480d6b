/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLD_TEXT_PROMPT_FOLD_H
#define PLD_TEXT_PROMPT_FOLD_H

#include <stddef.h>

#include "core/status.h"

/** A copy of the text in small letters without white space around it, as Python's `text.lower().strip()` makes it,
 *  which pipelines call: İ becomes two characters, Σ at the end of a word ς. Bytes that are not UTF-8 become U+FFFD.
 *  The caller frees `*folded`, which ends with a NUL, with pld_free. */
pld_status pld_prompt_fold(const char *text, size_t length, char **folded, size_t *folded_length,
                           pld_error *error);

#endif
