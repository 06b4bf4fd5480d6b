/* SPDX-License-Identifier: Apache-2.0 */
/** Memory of packed weights where it is the host's: two functions of a pld_weight_functions, whatever the device. */
#ifndef PLD_BACKENDS_HOST_WEIGHTS_H
#define PLD_BACKENDS_HOST_WEIGHTS_H

#include <stddef.h>

void *pld_host_allocate_weight(const void *device, size_t bytes);
void pld_host_free_weight(const void *device, void *memory);

#endif
