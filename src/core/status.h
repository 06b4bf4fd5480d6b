/* SPDX-License-Identifier: Apache-2.0 */
/** Error reporting inside the library: the lowest level that knows the facts writes the message. */
#ifndef PLD_CORE_STATUS_H
#define PLD_CORE_STATUS_H

#include <stddef.h>

#include "pladis/status.h"

/** Write a message into `error` (may be NULL); made printable (pld_make_printable). */
void pld_write_error(pld_error *error, pld_status status, const char *format, ...) PLD_PRINTF(3, 4);

/** pld_write_error, the value of which is `status`. A macro, so that who reads the call, a static analyser
 * too, sees what it returns. */
#define pld_fail(error, status, ...) (pld_write_error((error), (status), __VA_ARGS__), (pld_status)(status))

/** pld_fail for an allocation of `bytes` that was refused; `what` names its use. */
static inline pld_status pld_fail_memory(pld_error *error, size_t bytes, const char *what) {
    return pld_fail(error, PLD_ERROR_MEMORY, "%s: %.1f MiB of memory could not be allocated", what,
                    (double)bytes / 1048576.0);
}

/** Return from the enclosing function when `expression` is not PLD_OK. */
#define PLD_TRY(expression)                                                                                  \
    do {                                                                                                     \
        pld_status pld_try_status = (expression);                                                            \
        if (pld_try_status != PLD_OK) {                                                                      \
            return pld_try_status;                                                                           \
        }                                                                                                    \
    } while (0)

/** Return from the enclosing function, which has an `error`, when a pointer that it needs is NULL. */
#define PLD_NEED(pointer)                                                                                    \
    do {                                                                                                     \
        if (!(pointer)) {                                                                                    \
            return pld_fail(error, PLD_ERROR_ARGUMENT, "%s is NULL", #pointer);                              \
        }                                                                                                    \
    } while (0)

#endif
