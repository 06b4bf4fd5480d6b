/* SPDX-License-Identifier: Apache-2.0 */
/** Ctrl-C, a terminal that is closed, kill: end a run soon and cleanly. */
#ifndef PLADIS_CLI_TERMINAL_CANCEL_H
#define PLADIS_CLI_TERMINAL_CANCEL_H

#include <stdbool.h>

/** Let the signals that ask a program to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
 * SIGALRM, SIGXCPU) set the flag instead of killing the process. SIGHUP stays ignored under nohup. */
void cancel_install(void);

/** The flag, for pld_generate_options.cancel; whether it is set. */
const volatile int *cancel_flag(void);
bool cancel_requested(void);

/** A second signal ends the process at once, except between these two, where files are being written. */
void cancel_guard_begin(void);
void cancel_guard_end(void);

#endif
