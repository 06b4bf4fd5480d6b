/* SPDX-License-Identifier: Apache-2.0 */
/** Error reporting inside the library: the lowest level that knows the facts writes the message. */
#ifndef PLD_CORE_STATUS_H
#define PLD_CORE_STATUS_H

#include <stddef.h>

#include "pladis/status.h"

/** Write a message into `error` (may be NULL) and return `status`; control characters become '?'. */
pld_status pld_fail(pld_error *error, pld_status status, const char *format, ...) PLD_PRINTF(3, 4);

/** pld_fail for an allocation of `bytes` that was refused; `what` names its use. */
pld_status pld_fail_memory(pld_error *error, size_t bytes, const char *what);

/** Return from the enclosing function when `expression` is not PLD_OK. */
#define PLD_TRY(expression)                                                                                  \
    do {                                                                                                     \
        pld_status pld_try_status = (expression);                                                            \
        if (pld_try_status != PLD_OK) {                                                                      \
            return pld_try_status;                                                                           \
        }                                                                                                    \
    } while (0)

#endif
