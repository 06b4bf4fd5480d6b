/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/host_weights.h"

#include "core/memory.h"

void *pld_host_allocate_weight(const void *device, size_t bytes) {
    (void)device;
    return pld_allocate_aligned(bytes, 1);
}

void pld_host_free_weight(const void *device, void *memory) {
    (void)device;
    pld_free(memory);
}
