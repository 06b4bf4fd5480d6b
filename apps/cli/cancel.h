/* SPDX-License-Identifier: Apache-2.0 */
/** Ctrl-C: ends a run soon and cleanly. */
#ifndef PLADIS_CLI_CANCEL_H
#define PLADIS_CLI_CANCEL_H

#include <stdbool.h>

/** Let SIGINT and SIGTERM set the flag instead of killing the process. */
void cancel_install(void);

/** The flag, for pld_generate_options.cancel. */
const volatile int *cancel_flag(void);

/** A second signal ends the process at once, except between these two, where files are being written. */
void cancel_guard_begin(void);
void cancel_guard_end(void);

#endif
