/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/write.h"

#include "core/memory.h"

pld_status pld_tensor_entry_bytes(const char *path, const pld_tensor_entry *entry, size_t *bytes,
                                  pld_error *error) {
    const pld_tensor *tensor = &entry->tensor;
    size_t elements = 0;
    const size_t block = pld_dtype_block(tensor->dtype);
    const bool shaped =
        tensor->rank >= 0 && tensor->rank <= PLD_MAX_RANK &&
        pld_shape_elements(tensor->shape, tensor->rank, pld_dtype_size(tensor->dtype), &elements);
    return shaped && elements % block == 0 && pld_dtype_bytes(tensor->dtype, elements, bytes)
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT, "%s: tensor '%s' has an impossible shape", path,
                          entry->name);
}

pld_status pld_tensor_source_write(const pld_tensor_source *source, pld_atomic_file *file,
                                   const pld_tensor_entry *entry, size_t index, size_t bytes,
                                   pld_error *error) {
    if (!source->supply) {
        return pld_atomic_file_write(file, entry->tensor.data, bytes, error);
    }
    const size_t size = pld_dtype_size(entry->tensor.dtype), most = PLD_SUPPLIED_BYTES / size * size;
    for (size_t done = 0; done < bytes;) {
        const size_t part = bytes - done < most ? bytes - done : most;
        PLD_TRY(source->supply(source->user, index, done, part, source->block, error));
        PLD_TRY(pld_atomic_file_write(file, source->block, part, error));
        done += part;
    }
    return PLD_OK;
}
