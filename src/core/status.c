/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include <stdarg.h>

#include "core/text.h"

const char *pld_status_text(pld_status status) {
    switch (status) {
#define PLD_STATUS_CASE(name, value, text)                                                                   \
    case name:                                                                                               \
        return text;
        PLD_STATUS_LIST(PLD_STATUS_CASE)
#undef PLD_STATUS_CASE
    }
    return "unknown status";
}

void pld_write_error(pld_error *error, pld_status status, const char *format, ...) {
    if (!error) {
        return;
    }
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    pld_print_arguments(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    pld_make_printable(error->message); /* names from untrusted files must not steer a terminal */
}
