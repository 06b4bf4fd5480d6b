/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log.h"

#include <stdarg.h>

#include "core/text.h"

void pld_log_message(const pld_log *log, pld_log_level level, const char *format, ...) {
    if (!log || !log->callback || level > log->most) {
        return;
    }
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(message, sizeof message, format, arguments);
    va_end(arguments);
    pld_make_printable(message);
    log->callback(log->user, level, message);
}
