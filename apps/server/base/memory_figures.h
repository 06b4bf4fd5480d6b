/* SPDX-License-Identifier: Apache-2.0 */
/** Memory of this process and of the machine. */
#ifndef PLADIS_SERVER_BASE_MEMORY_FIGURES_H
#define PLADIS_SERVER_BASE_MEMORY_FIGURES_H

#include <stdint.h>

/** Bytes; 0: unknown. */
typedef struct memory_figures {
    uint64_t resident, peak, available, total;
} memory_figures;

memory_figures memory_figures_now(void);

#endif
