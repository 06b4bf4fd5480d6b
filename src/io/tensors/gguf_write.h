/* SPDX-License-Identifier: Apache-2.0 */
/** Writing GGUF files, version 3. */
#ifndef PLD_IO_TENSORS_GGUF_WRITE_H
#define PLD_IO_TENSORS_GGUF_WRITE_H

#include "io/tensors/write.h"

/** What a file says of itself beside its tensors. */
typedef struct pld_gguf_facts {
    const char *architecture; /**< general.architecture, "flux" */
    int file_type; /**< general.file_type, llama.cpp's number for what most matrices are; negative: it is not said */
    const char *const *texts; /**< further keys and values, NULL-terminated; may be NULL */
} pld_gguf_facts;

/** Whether a tensor of GGUF can be of this type. */
bool pld_gguf_has_type(pld_dtype dtype);

/** Write `count` tensors in the given order, whose rows are whole blocks. A tensor of more than four axes is written as its
 * first three and the rest in one, and its shape as `comfy.gguf.orig_shape.NAME`, an array of int32, which readers take
 * it by; one of no axis has one. `supply` and `cancel` as in pld_safetensors_write_supplied. The file appears whole or not at
 * all. */
pld_status pld_gguf_write_supplied(const char *path, const pld_gguf_facts *facts,
                                   const pld_tensor_entry *entries, size_t count, pld_tensor_supplier supply,
                                   void *user, const volatile int *cancel, pld_error *error);

#endif
