/* SPDX-License-Identifier: Apache-2.0 */
/** What the program says to a person: one line each, on standard error. */
#ifndef PLADIS_CLI_TERMINAL_MESSAGE_H
#define PLADIS_CLI_TERMINAL_MESSAGE_H

#include <stdbool.h>

#include <pladis/status.h>

/** Exit codes of the program. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CANCELLED = 130 };

/** How much is said besides errors. */
typedef enum verbosity { VERBOSITY_QUIET, VERBOSITY_NORMAL, VERBOSITY_VERBOSE } verbosity;

void message_set_verbosity(verbosity level);
verbosity message_verbosity(void);

/** `pladis: error: …`; gives EXIT_FAILED. */
int message_failure(const char *text, ...) PLD_PRINTF(1, 2);

/** `pladis: error: …` about the command line; gives EXIT_USAGE. */
int message_usage(const char *text, ...) PLD_PRINTF(1, 2);

/** Print what a library call reported; gives the exit code that belongs to it. */
int message_error(const pld_error *error);

/** `pladis: note: …`, unless quiet. */
void message_note(const char *text, ...) PLD_PRINTF(1, 2);

/** A line of the summary after a run, unless quiet. */
void message_line(const char *text, ...) PLD_PRINTF(1, 2);

/** The log callback of the engine. */
void message_log(void *user, pld_log_level level, const char *message);

/** What of the log is shown, for options of an engine. */
pld_log_level message_log_level(void);

/** The exit code of a command that ended with `code`: where that says that something went wrong, the one of
 * the last error line counts, since who only hears that a value was not taken cannot tell a wrong one from
 * one for which memory was out. Pushes out standard output, too: EXIT_FAILED when a line of it was lost. */
int message_finish_output(int code);

#endif
