/* SPDX-License-Identifier: Apache-2.0 */
/** A line with a bar, seconds a step and the time left, on a terminal; nothing elsewhere. It is never longer
 * than the terminal is wide, whose width is asked for each time. */
#ifndef PLADIS_CLI_TERMINAL_PROGRESS_H
#define PLADIS_CLI_TERMINAL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <pladis/pladis.h>

/** The progress callback of a generation; never cancels by itself. */
bool progress_show(void *user, const pld_progress *progress);

/** A bar of `done` of `all` pictures, for work that is not one picture after the other. */
void progress_show_count(size_t done, size_t all, double seconds_each, double seconds_left);

/** A bar of work that is told in bytes: `done` from 0 to 1. */
void progress_show_part(double done);

/** Remove the bar, so that a line can be printed. */
void progress_clear(void);

#endif
