/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_line(const server_log *log, const char *format, ...) {
    char line[PLD_ERROR_MESSAGE_SIZE + 512];
    va_list arguments;
    if (log->line == NULL) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    pld_make_printable(line);
    log->line(log->user, line);
}
