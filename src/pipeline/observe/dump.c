/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/observe/dump.h"

#include <string.h>

#include "core/memory.h"

pld_status pld_dump_add(pld_dump *dump, const char *name, const float *values, int rank, const int64_t *shape,
                        pld_error *error) {
    if (!dump->enabled) {
        return PLD_OK;
    }
    size_t count = 0;
    if (!pld_shape_elements(shape, rank, sizeof(float), &count)) {
        return pld_fail(error, PLD_ERROR_MEMORY, "dump: tensor '%s' is too large", name);
    }
    if (!pld_grow((void **)&dump->entries, &dump->capacity, dump->count + 1, sizeof *dump->entries)) {
        return pld_fail_memory(error, sizeof *dump->entries, "dump");
    }
    float *copy = pld_allocate(count, sizeof *copy);
    char *own_name = pld_copy_string(name);
    if (!copy || !own_name) {
        pld_free(copy);
        pld_free(own_name);
        return pld_fail_memory(error, count * sizeof *copy, "dump");
    }
    memcpy(copy, values, count * sizeof *copy);
    pld_tensor_entry *entry = &dump->entries[dump->count++];
    *entry = (pld_tensor_entry){own_name, {.dtype = PLD_DTYPE_F32, .rank = rank, .data = copy}};
    memcpy(entry->tensor.shape, shape, (size_t)rank * sizeof *shape);
    return PLD_OK;
}

pld_status pld_dump_write(const pld_dump *dump, const char *path, const volatile int *cancel,
                          pld_error *error) {
    return dump->enabled ? pld_safetensors_write_supplied(path, dump->entries, dump->count, NULL, NULL, NULL,
                                                          cancel, error)
                         : PLD_OK;
}

void pld_dump_free(pld_dump *dump) {
    for (size_t i = 0; i < dump->count; i++) {
        pld_free((void *)(uintptr_t)dump->entries[i].name);
        pld_free(dump->entries[i].tensor.data);
    }
    pld_free(dump->entries);
    *dump = (pld_dump){0};
}
