/* SPDX-License-Identifier: Apache-2.0 */
/** A caller's wish to give up. */
#ifndef PLD_CORE_CANCEL_H
#define PLD_CORE_CANCEL_H

#include <stdbool.h>

/** Whether `*cancel` is non-zero; NULL: never. Another thread or a signal handler may write it at this
 * moment. */
static inline bool pld_cancel_requested(const volatile int *cancel) {
    return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED);
}

#endif
