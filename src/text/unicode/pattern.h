/* SPDX-License-Identifier: Apache-2.0 */
/** Regular expressions on UTF-8, by PCRE2. */
#ifndef PLD_TEXT_UNICODE_PATTERN_H
#define PLD_TEXT_UNICODE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/** A context through which PCRE2 allocates by core/memory.h (a pcre2_general_context); NULL when memory is
 *  out. */
void *pld_pattern_memory(void);

/** A compiled pattern with room for one match. */
typedef struct pld_pattern pld_pattern;

/** Compile `text`, in which a dot is any character and \\w, \\d and \\s are Unicode's. `what` names it in the
 *  error that memory is out; a pattern that PCRE2 refuses is PLD_ERROR_INTERNAL. */
pld_status pld_pattern_open(const char *text, const char *what, pld_pattern **pattern, pld_error *error);
void pld_pattern_close(pld_pattern *pattern);

/** The first match at or after `from` in `length` bytes of well-formed UTF-8; `*found` false: there is none.
 *  A search that would take too long finds nothing. */
pld_status pld_pattern_find(pld_pattern *pattern, const char *text, size_t length, size_t from, bool *found,
                            size_t *begin, size_t *end, pld_error *error);

#endif
