/* SPDX-License-Identifier: Apache-2.0 */
/** What is said of an option wherever it is told of: help, manual, completion. */
#ifndef PLADIS_CLI_OPTIONS_OPTION_TEXT_H
#define PLADIS_CLI_OPTIONS_OPTION_TEXT_H

#include <pladis/options.h>

enum { OPTION_TEXT = 1024 };

/** What it does, its choices, its default and its other names, in one line; and the same without the names. */
void option_text(const pld_option *row, char text[OPTION_TEXT]);
void option_text_without_names(const pld_option *row, char text[OPTION_TEXT]);

/** Whether a command tells of the option: it has it, and it does something. */
bool option_is_shown(const pld_option *row, const char *command);

/** The heading behind `group` (NULL: the first) of a command's options, in the order of the table; NULL: there is
 * none. */
const char *option_group(const char *command, const char *group);

#endif
