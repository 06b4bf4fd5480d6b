/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/weight_values.h"

#include <string.h>

#include "core/memory.h"

pld_status pld_weight_values(const pld_weight_backend *backend, const pld_weight *weight, size_t first,
                             size_t count, float *out, pld_error *error) {
    enum { BLOCK = 1 << 15 };
    const pld_stored_tensor *tensor = weight->tensor;
    size_t size = pld_dtype_size(tensor->dtype);
    if (tensor->dtype == PLD_DTYPE_F32) {
        return pld_weight_read(weight, first * size, count * size, out, error);
    }
    _Alignas(PLD_ALIGNMENT) unsigned char block[BLOCK];
    size_t at_once = BLOCK / size;
    for (size_t done = 0; done < count; done += at_once) {
        size_t part = count - done < at_once ? count - done : at_once;
        PLD_TRY(pld_weight_read(weight, (first + done) * size, part * size, block, error));
        backend->functions->to_f32(backend->device, tensor->dtype, block, part, out + done);
    }
    return PLD_OK;
}

pld_status pld_weight_reader_read(const pld_weight_reader *reader, size_t first, size_t count, float *out,
                                  pld_error *error) {
    if (reader->values) {
        memcpy(out, reader->values + first, count * sizeof *out);
        return PLD_OK;
    }
    return pld_weight_values(reader->backend, reader->weight, first, count, out, error);
}

pld_status pld_weight_all_values(const pld_weight_backend *backend, const pld_weight *weight, float **values,
                                 pld_error *error) {
    size_t count = pld_weight_bytes(weight) / pld_dtype_size(weight->tensor->dtype);
    *values = pld_allocate_aligned(count, sizeof **values);
    if (!*values) {
        return pld_fail_memory(error, count * sizeof **values, weight->tensor->name);
    }
    pld_status status = pld_weight_values(backend, weight, 0, count, *values, error);
    if (status != PLD_OK) {
        pld_free(*values);
        *values = NULL;
    }
    return status;
}
