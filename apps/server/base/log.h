/* SPDX-License-Identifier: Apache-2.0 */
/** Lines for whoever runs the server. */
#ifndef PLADIS_SERVER_BASE_LOG_H
#define PLADIS_SERVER_BASE_LOG_H

#include <pladis/status.h>

/** Where lines go. Called by several threads at once, with lines that hold nothing a terminal or a reader of logs would obey. */
typedef struct server_log {
    void (*line)(void *user, const char *line);
    void *user;
} server_log;

/** Write a line; ends of lines and control characters in it, whoever they come from, become harmless. */
void log_line(const server_log *log, const char *format, ...) PLD_PRINTF(2, 3);

#endif
