/* SPDX-License-Identifier: Apache-2.0 */
/** Whether this process may use AMX. */
#ifndef PLD_KERNELS_AMX_PERMISSION_H
#define PLD_KERNELS_AMX_PERMISSION_H

#include <stdbool.h>

/** The CPU has AMX_TILE and AMX_BF16, and Linux lets this process use the registers, for which it asks: they
 * are 8 KiB a thread, so they are granted only to who asks. Asked once, the answer holds for all threads. */
bool pld_cpu_grants_amx(void);

#endif
