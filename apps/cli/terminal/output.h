/* SPDX-License-Identifier: Apache-2.0 */
/** The one door to the terminal: everything that the program prints goes through these functions, and nothing
 * else prints (tests/architecture looks for it). What comes from a file or an argument (names, keys, tags,
 * prompts, messages) is made printable on the way, see pld_make_printable; what stands in a format is the
 * program's own and printed as it is. */
#ifndef PLADIS_CLI_TERMINAL_OUTPUT_H
#define PLADIS_CLI_TERMINAL_OUTPUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <pladis/status.h>

/** printf to standard output and to standard error. A width counts the columns that a text takes. */
void print_output(const char *format, ...) PLD_PRINTF(1, 2);
void print_message(const char *format, ...) PLD_PRINTF(1, 2);

/** A whole line to standard error, in one piece, so that lines of several threads do not mix. */
void print_message_line(const char *label, const char *format, va_list arguments) PLD_PRINTF(2, 0);

/** Where lines go that may go to either. */
typedef void (*output_printer)(const char *format, ...) PLD_PRINTF(1, 2);

/** A text of several lines to standard output: ends of lines and tabs stay. */
void print_output_lines(const char *text);

/** JSON to standard output, with an end of line. What a terminal would obey inside its strings (DEL,
 * C1 controls, directions) is escaped, which changes no value. */
void print_output_json(const char *json);

/** Bytes that the program itself has made for a terminal (a picture), to standard error. */
void print_terminal_codes(const char *codes, size_t size);

/** Push out standard output. False: something of it was lost; errno tells why. */
bool output_flush(void);

#endif
