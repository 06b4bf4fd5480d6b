/* SPDX-License-Identifier: Apache-2.0 */
/** The keys of PEFT's alpha_pattern and rank_pattern: regular expressions over names of modules.
 *
 *  PEFT matches `(.*\.)?(KEY)$` from the beginning of the name with Python's re, and the first key in the
 * order of the file counts (peft/utils/other.py, get_pattern_key). Here PCRE2 matches, with limits, since the
 * keys come from strangers; what Python and PCRE2 understand differently is refused. Private to src/loras.
 */
#ifndef PLD_LORAS_PATTERNS_H
#define PLD_LORAS_PATTERNS_H

#include "io/json/read.h"

typedef struct pld_lora_patterns pld_lora_patterns;

/** Compile the keys of the object `table`, which is borrowed; without a value there are none.
 * PLD_ERROR_FORMAT names the key that is no expression. Close after a failure too. */
pld_status pld_lora_patterns_open(const pld_json *table, pld_lora_patterns **patterns, pld_error *error);

/** Close; `*patterns` becomes NULL. NULL is accepted. */
void pld_lora_patterns_close(pld_lora_patterns **patterns);

size_t pld_lora_patterns_count(const pld_lora_patterns *patterns);

/** The first key that matches the name [length]; NULL when none does. PLD_ERROR_FORMAT when matching would
 * take too long. One thread at a time. */
pld_status pld_lora_patterns_find(pld_lora_patterns *patterns, const char *name, size_t length,
                                  const char **key, pld_error *error);

#endif
