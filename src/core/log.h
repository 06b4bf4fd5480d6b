/* SPDX-License-Identifier: Apache-2.0 */
/** Messages to the embedding program; the library itself never prints. */
#ifndef PLD_CORE_LOG_H
#define PLD_CORE_LOG_H

#include "pladis/status.h"

/** Where messages go, those of more detail than `most` apart; a NULL callback drops them all. Copied by value,
 *  lives as long as its owner. */
typedef struct pld_log {
    void (*callback)(void *user, pld_log_level level, const char *message);
    void *user;
    pld_log_level most;
} pld_log;

/** Send one line (cut at 1,023 bytes, made printable); `log` may be NULL. */
void pld_log_message(const pld_log *log, pld_log_level level, const char *format, ...) PLD_PRINTF(3, 4);

#endif
