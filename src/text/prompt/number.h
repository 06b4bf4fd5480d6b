/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers in prompts: digits of any script, no exponent, independent of the locale. */
#ifndef PLD_TEXT_PROMPT_NUMBER_H
#define PLD_TEXT_PROMPT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of the run "optional sign, then digits and dots, at least one" at the beginning of the text; 0:
 * none. */
size_t pld_prompt_number_length(const char *text, size_t length);

/** The value of such a run, correctly rounded; infinite when it is too great. False when it is no number: no
 *  digit, or more than one dot. */
bool pld_prompt_read_number(const char *text, size_t length, double *value);

#endif
