/* SPDX-License-Identifier: Apache-2.0 */
/** One value of an option from text and to text. */
#ifndef PLD_PIPELINE_OPTIONS_VALUE_H
#define PLD_PIPELINE_OPTIONS_VALUE_H

#include "pipeline/options/row.h"

/** Read `text` as the row says. `value->text` points into `text` or at a constant; `value->numbers` is new
 * memory, freed with pld_free. `*behind` (of a row with `joined`) is the other option's value, or NULL. Of
 * PLD_OPTION_TEXTS one text is read. Errors are about "NAME: found …, expected …". */
pld_status pld_option_parse(const pld_option_row *row, const char *text, pld_option_value *value,
                            const char **behind, pld_error *error);

/** What counts while nothing is set. */
void pld_option_default(const pld_option_row *row, pld_option_value *value);

/** The value in new memory as text that is read back the same, or NULL in `*text` where there is none. */
pld_status pld_option_print(const pld_option_row *row, const pld_option_value *value, char **text,
                            pld_error *error);

/** The shortest decimal that reads back as the same number; of whole numbers below 1e15 all digits, as options that
 * are whole numbers want them. */
enum { PLD_NUMBER_TEXT = 32 };
void pld_print_shortest(double value, char text[PLD_NUMBER_TEXT]);

#endif
