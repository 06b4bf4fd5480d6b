/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/weight_values.h"

#include <string.h>

#include "core/memory.h"

/** Elements of a quantised tensor as it is stored, from the middle of a block on if need be. */
static pld_status quantised_values(const pld_weight_backend *backend, const pld_weight *weight, size_t first,
                                   size_t count, float *out, pld_error *error) {
    enum { BLOCKS = 64, MOST_BLOCK = 256, MOST_BYTES = 256 };
    const pld_dtype dtype = weight->tensor->dtype;
    const size_t block = pld_dtype_block(dtype), size = pld_dtype_size(dtype);
    unsigned char stored[BLOCKS * MOST_BYTES];
    _Alignas(PLD_ALIGNMENT) float values[BLOCKS * MOST_BLOCK];
    while (count > 0) {
        const size_t begin = first / block, within = first % block;
        const size_t wanted = (within + count + block - 1) / block,
                     blocks = wanted < BLOCKS ? wanted : BLOCKS;
        const size_t there = blocks * block - within, part = there < count ? there : count;
        PLD_TRY(pld_weight_read(weight, begin * size, blocks * size, stored, error));
        const bool whole = within == 0 && part == blocks * block;
        backend->functions->to_f32(backend->device, dtype, stored, blocks * block, whole ? out : values);
        if (!whole) {
            memcpy(out, values + within, part * sizeof *out);
        }
        first += part;
        out += part;
        count -= part;
    }
    return PLD_OK;
}

/** The place of an element of what is meant in the stored tensor. */
static size_t stored_place(const pld_weight *weight, size_t element) {
    const pld_stored_tensor *tensor = weight->tensor;
    if (weight->transposed) {
        const size_t rows = (size_t)tensor->shape[0], columns = (size_t)tensor->shape[1];
        return element % columns * rows + element / columns;
    }
    size_t step = 1;
    for (int i = 3; i < tensor->rank; i++) {
        step *= (size_t)tensor->shape[i];
    }
    const size_t steps = (size_t)weight->steps;
    return (element / step * steps + steps - 1) * step + element % step;
}

/** Such tensors are small: a text projection, a convolution. */
static pld_status values_out_of_all(const pld_weight_backend *backend, const pld_weight *weight, size_t first,
                                    size_t count, float *out, pld_error *error) {
    const pld_weight plain = {.file = weight->file, .tensor = weight->tensor, .index = weight->index};
    float *all = NULL;
    PLD_TRY(pld_weight_all_values(backend, &plain, &all, error));
    for (size_t i = 0; i < count; i++) {
        out[i] = all[stored_place(weight, first + i)];
    }
    pld_free(all);
    return PLD_OK;
}

/** Multiply elements [first, first + count) by the scales of their rows. */
static pld_status scale_rows(const pld_weight *weight, size_t first, size_t count, float *out,
                             pld_error *error) {
    enum { ROWS = 64 };
    float scales[ROWS];
    const size_t rows = (size_t)weight->tensor->shape[0], row = rows ? pld_weight_elements(weight) / rows : 0;
    for (size_t i = 0, read = 0, held = 0; row > 0 && i < count;) {
        const size_t at = (first + i) / row, end = (at + 1) * row - first, stop = end < count ? end : count;
        if (held == 0 || at >= read + held) {
            read = at;
            held = rows - at < ROWS ? rows - at : ROWS;
            PLD_TRY(pld_weight_row_scales(weight, read, held, scales, error));
        }
        for (; i < stop; i++) {
            out[i] *= scales[at - read];
        }
    }
    return PLD_OK;
}

pld_status pld_weight_values(const pld_weight_backend *backend, const pld_weight *weight, size_t first,
                             size_t count, float *out, pld_error *error) {
    enum { BLOCK = 1 << 15 };
    const pld_stored_tensor *tensor = weight->tensor;
    size_t size = pld_dtype_size(tensor->dtype);
    if (weight->row_scales && weight->transposed) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: tensor '%s': its rows have scales, which is not supported of a matrix that is meant the "
            "other way round",
            pld_tensor_file_path(weight->file), tensor->name);
    }
    if (pld_dtype_is_quantised(tensor->dtype)) {
        return (weight->transposed || weight->steps ? values_out_of_all : quantised_values)(
            backend, weight, first, count, out, error);
    }
    if (tensor->dtype == PLD_DTYPE_F32) {
        return pld_weight_read(weight, first * size, count * size, out, error);
    }
    _Alignas(PLD_ALIGNMENT) unsigned char block[BLOCK];
    size_t at_once = BLOCK / size;
    for (size_t done = 0; done < count; done += at_once) {
        size_t part = count - done < at_once ? count - done : at_once;
        PLD_TRY(pld_weight_read(weight, (first + done) * size, part * size, block, error));
        backend->functions->to_f32(backend->device, tensor->dtype, block, part, out + done);
        for (size_t i = 0; weight->scale != 0 && i < part; i++) {
            out[done + i] *= weight->scale;
        }
    }
    return weight->row_scales ? scale_rows(weight, first, count, out, error) : PLD_OK;
}

pld_status pld_weight_reader_read(const pld_weight_reader *reader, size_t first, size_t count, float *out,
                                  pld_error *error) {
    if (reader->values) {
        memcpy(out, reader->values + first, count * sizeof *out);
        return PLD_OK;
    }
    return pld_weight_values(reader->backend, reader->weight, first, count, out, error);
}

pld_status pld_weight_reader_stored(const pld_weight_reader *reader, size_t first, size_t count, void *out,
                                    pld_error *error) {
    const pld_dtype dtype = reader->weight->tensor->dtype;
    const size_t block = pld_dtype_block(dtype), size = pld_dtype_size(dtype);
    return pld_weight_read(reader->weight, first / block * size, count / block * size, out, error);
}

pld_status pld_weight_reader_row_scales(const pld_weight_reader *reader, size_t first, size_t count,
                                        float *out, pld_error *error) {
    return pld_weight_row_scales(reader->weight, first, count, out, error);
}

pld_status pld_weight_all_values(const pld_weight_backend *backend, const pld_weight *weight, float **values,
                                 pld_error *error) {
    size_t count = pld_weight_elements(weight);
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
