/* SPDX-License-Identifier: Apache-2.0 */
/** Collects what happened in a generation, to be written as one safetensors file (`--dump`). */
#ifndef PLD_PIPELINE_OBSERVE_DUMP_H
#define PLD_PIPELINE_OBSERVE_DUMP_H

#include "io/tensors/safetensors_write.h"

typedef struct pld_dump {
    pld_tensor_entry *entries; /* names and data are owned */
    size_t count, capacity;
    bool enabled;
} pld_dump;

/** Copy `values` under a name with the given shape. Nothing happens when the dump is not enabled. */
pld_status pld_dump_add(pld_dump *dump, const char *name, const float *values, int rank, const int64_t *shape,
                        pld_error *error);

/** Waiting for the reader of a pipe ends once `*cancel` (may be NULL) is set. */
pld_status pld_dump_write(const pld_dump *dump, const char *path, const volatile int *cancel,
                          pld_error *error);
void pld_dump_free(pld_dump *dump);

#endif
