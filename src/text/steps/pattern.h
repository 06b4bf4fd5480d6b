/* SPDX-License-Identifier: Apache-2.0 */
/** Regular expressions of tokenizer files: written for Oniguruma, matched by PCRE2 with the classes of
 *  the former. */
#ifndef PLD_TEXT_STEPS_PATTERN_H
#define PLD_TEXT_STEPS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "io/json/read.h"

/** A compiled pattern; immutable and shared between threads. */
typedef struct pld_text_pattern pld_text_pattern;

/** Compile a pattern, or with `literal` a text that is looked for as it is. `name` is the file for
 *  messages. */
pld_status pld_text_pattern_open(const char *text, size_t length, bool literal, const char *name,
                                 pld_text_pattern **pattern, pld_error *error);

/** The pattern of a field {"String": …} or {"Regex": …} of tokenizer.json. */
pld_status pld_text_pattern_read(const pld_json *at, const char *field, pld_text_pattern **pattern,
                                 pld_error *error);

void pld_text_pattern_close(pld_text_pattern *pattern);

/** Called with the stretches of a text in order: matches, and what lies between them. None is empty. */
typedef pld_status (*pld_text_pattern_visitor)(void *context, const char *text, size_t length, bool match,
                                               pld_error *error);

/** Visit the stretches of well-formed UTF-8. A failure of the visitor ends the walk and is passed on;
 *  PLD_ERROR_UNSUPPORTED where the pattern takes too many steps. */
pld_status pld_text_pattern_visit(const pld_text_pattern *pattern, const char *text, size_t length,
                                  pld_text_pattern_visitor visitor, void *context, pld_error *error);

#endif
