/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of the tensors of a file that is written, a piece at a time: what its sources hold, in the type that is wanted. All
 * threads work on a piece, each on a part of it, in memory that does not grow with the tensor. */
#include <math.h>
#include <string.h>

#include "core/cancel.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "nn/weight_values.h"
#include "pipeline/files/convert.h"

enum { CHUNK = 1 << 13 }; /* numbers that a thread converts at a time: whole blocks of every type */

/** How a thread fared; it stops at its first failure. */
typedef struct supply_result {
    pld_status status;
    pld_error error;
    size_t overflows;
} supply_result;

/** One piece of a tensor. */
typedef struct supply_job {
    const pld_conversion *conversion;
    const pld_converted *item; /* whose numbers they are */
    size_t first, count;       /* numbers of the piece; of scales rows */
    size_t columns;            /* of int8 rows and scales */
    char *out;
    float *rooms;           /* [threads][columns], of int8 rows and scales */
    int8_t *bytes;          /* likewise */
    supply_result *results; /* [threads] */
} supply_job;

/** Elements [first, first + count) of the identity of so many columns. */
static void read_identity(const pld_tensor *tensor, size_t first, size_t count, float *out) {
    const size_t step = (size_t)tensor->shape[1] + 1;
    memset(out, 0, count * sizeof *out);
    for (size_t at = (first + step - 1) / step * step; at < first + count; at += step) {
        out[at - first] = 1;
    }
}

/** Elements [first, first + count) of a tensor, out of its sources one after the other. */
static pld_status read_values(const pld_conversion *conversion, const pld_converted *item, size_t first,
                              size_t count, float *out, pld_error *error) {
    const pld_weight_backend *backend = &conversion->model->engine->device->weights;
    if (item->identity) {
        read_identity(&item->tensor, first, count, out);
    } else if (!item->source_count) {
        memset(out, 0, count * sizeof *out);
    }
    for (int i = 0; i < item->source_count && count > 0; i++) {
        const size_t elements = pld_weight_elements(&item->sources[i]);
        if (first >= elements) {
            first -= elements;
            continue;
        }
        const size_t part = elements - first < count ? elements - first : count;
        PLD_TRY(pld_weight_values(backend, &item->sources[i], first, part, out, error));
        out += part;
        count -= part;
        first = 0;
    }
    return PLD_OK;
}

/** Numbers that were finite and are not in half precision. */
static size_t count_overflows(const float *values, size_t count) {
    const float largest = 65519.99F; /* what rounds to the largest half, 65504 */
    size_t overflows = 0;
    for (size_t i = 0; i < count; i++) {
        overflows += fabsf(values[i]) > largest && isfinite(values[i]);
    }
    return overflows;
}

/** Blocks and rows with scales hold numbers alone. */
static pld_status check_finite(const pld_converted *item, const char *type, const float *values, size_t count,
                               pld_error *error) {
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "tensor '%s': expected finite numbers, which is all that %s can hold, found %s; the "
                "model is damaged: obtain it again",
                item->name, type, isnan(values[i]) ? "one that is none (NaN)" : "infinity");
        }
    }
    return PLD_OK;
}

/** Items are chunks of the piece. */
static void convert_chunks(void *context, size_t begin, size_t end, int thread) {
    const supply_job *job = context;
    const pld_dtype dtype = job->item->tensor.dtype;
    supply_result *result = &job->results[thread];
    _Alignas(PLD_ALIGNMENT) float values[CHUNK];
    for (size_t chunk = begin; chunk < end && result->status == PLD_OK; chunk++) {
        const size_t at = chunk * CHUNK, part = job->count - at < CHUNK ? job->count - at : CHUNK;
        char *out = job->out + at / pld_dtype_block(dtype) * pld_dtype_size(dtype);
        result->status =
            read_values(job->conversion, job->item, job->first + at, part, values, &result->error);
        if (result->status == PLD_OK && pld_dtype_is_quantised(dtype)) {
            result->status = check_finite(job->item, pld_dtype_name(dtype), values, part, &result->error);
        }
        if (result->status != PLD_OK) {
            return;
        }
        if (!pld_convert_from_f32(job->conversion->model->engine->kernels, dtype, values, part, out)) {
            result->status =
                pld_fail(&result->error, PLD_ERROR_ARGUMENT, "tensor '%s': cannot be written as %s",
                         job->item->name, pld_dtype_name(dtype));
        }
        result->overflows += dtype == PLD_DTYPE_F16 ? count_overflows(values, part) : 0;
    }
}

/** Row `row` of a matrix as int8, into the thread's bytes. */
static float convert_row(const supply_job *job, size_t row, int thread) {
    float *values = job->rooms + (size_t)thread * job->columns;
    int8_t *bytes = job->bytes + (size_t)thread * job->columns;
    supply_result *result = &job->results[thread];
    result->status =
        read_values(job->conversion, job->item, row * job->columns, job->columns, values, &result->error);
    if (result->status == PLD_OK) {
        result->status = check_finite(job->item, "int8", values, job->columns, &result->error);
    }
    return result->status == PLD_OK
               ? job->conversion->model->engine->kernels->f32_to_int8(values, job->columns, bytes)
               : 0;
}

/** Items are rows of the matrix, of which the piece may have a part of the first and of the last. */
static void convert_rows(void *context, size_t begin, size_t end, int thread) {
    const supply_job *job = context;
    const size_t row = job->columns, last = job->first + job->count;
    for (size_t i = begin; i < end && job->results[thread].status == PLD_OK; i++) {
        const size_t at = (job->first / row + i) * row;
        const size_t from = at > job->first ? at : job->first, to = at + row < last ? at + row : last;
        (void)convert_row(job, at / row, thread);
        memcpy(job->out + (from - job->first), job->bytes + (size_t)thread * row + (from - at), to - from);
    }
}

/** Items are rows of the matrix whose scales they are. */
static void find_scales(void *context, size_t begin, size_t end, int thread) {
    const supply_job *job = context;
    for (size_t i = begin; i < end && job->results[thread].status == PLD_OK; i++) {
        const float scale = convert_row(job, job->first + i, thread);
        memcpy(job->out + i * sizeof scale, &scale, sizeof scale);
    }
}

/** Run a piece on all threads, and take over what they found. */
static pld_status run_job(pld_conversion *conversion, supply_job *job, size_t items, pld_parallel_body body,
                          pld_error *error) {
    const int threads = conversion->model->engine->device->weights.threads;
    const size_t rooms = (size_t)threads * job->columns;
    job->results = pld_allocate((size_t)threads, sizeof *job->results);
    job->rooms = pld_allocate_aligned(rooms + 1, sizeof *job->rooms);
    job->bytes = pld_allocate(rooms + 1, 1);
    pld_status status = job->results && job->rooms && job->bytes
                            ? PLD_OK
                            : pld_fail_memory(error, rooms * sizeof *job->rooms, job->item->name);
    if (status == PLD_OK) {
        pld_parallel_for(threads, items, body, job);
    }
    for (int i = 0; job->results && i < threads; i++) {
        conversion->overflows += job->results[i].overflows;
        if (status == PLD_OK && job->results[i].status != PLD_OK) {
            status = pld_fail(error, job->results[i].status, "%s", job->results[i].error.message);
        }
    }
    pld_free(job->results);
    pld_free(job->rooms);
    pld_free(job->bytes);
    return status;
}

/** Whether all sources hold the bytes that are wanted. */
/** The source must be the file that was opened, to the end of the tensor: one that is written over meanwhile would be mixed. */
static pld_status check_sources(const pld_converted *item, pld_error *error) {
    for (int i = 0; i < item->source_count; i++) {
        const pld_weight *source = &item->sources[i];
        PLD_TRY(pld_tensor_file_check(source->file, source->tensor, error));
        if (source->scales_file) {
            PLD_TRY(pld_tensor_file_check(source->scales_file, source->tensor, error));
        }
    }
    return PLD_OK;
}

static bool is_as_stored(const pld_converted *item) {
    bool same = item->source_count > 0;
    for (int i = 0; i < item->source_count; i++) {
        const bool blocks_turned = item->sources[i].transposed && pld_dtype_is_quantised(item->tensor.dtype);
        same = same && item->sources[i].tensor->dtype == item->tensor.dtype && !blocks_turned &&
               !pld_weight_is_scaled(&item->sources[i]);
    }
    return same;
}

static pld_status copy_bytes(const pld_converted *item, size_t first, size_t bytes, char *out,
                             pld_error *error) {
    for (int i = 0; i < item->source_count && bytes > 0; i++) {
        const size_t all = pld_weight_bytes(&item->sources[i]);
        if (first >= all) {
            first -= all;
            continue;
        }
        const size_t part = all - first < bytes ? all - first : bytes;
        PLD_TRY(pld_weight_read(&item->sources[i], first, part, out, error));
        out += part;
        bytes -= part;
        first = 0;
    }
    return PLD_OK;
}

/** Bytes that are made of numbers. */
static pld_status convert_piece(pld_conversion *conversion, const pld_converted *item, size_t first_byte,
                                size_t bytes, char *out, pld_error *error) {
    const pld_dtype dtype = item->tensor.dtype;
    supply_job job = {.conversion = conversion,
                      .item = item,
                      .first = pld_dtype_elements(dtype, first_byte),
                      .count = pld_dtype_elements(dtype, bytes),
                      .out = out};
    if (item->scales) {
        job.item = &conversion->items[item->matrix];
        job.columns = (size_t)job.item->tensor.shape[1];
        return run_job(conversion, &job, job.count, find_scales, error);
    }
    if (dtype == PLD_DTYPE_I8) {
        job.columns = (size_t)item->tensor.shape[1];
        const size_t begin = job.first / job.columns, end = (job.first + job.count - 1) / job.columns + 1;
        return run_job(conversion, &job, end - begin, convert_rows, error);
    }
    return run_job(conversion, &job, (job.count + CHUNK - 1) / CHUNK, convert_chunks, error);
}

pld_status pld_conversion_supply(void *user, size_t index, size_t first_byte, size_t bytes, void *buffer,
                                 pld_error *error) {
    pld_conversion *conversion = user;
    const pld_converted *item = &conversion->items[index];
    if (pld_cancel_requested(conversion->options->cancel)) {
        return pld_fail(error, PLD_ERROR_CANCELLED, "cancelled; nothing was written");
    }
    if (item->text) {
        memcpy(buffer, item->text + first_byte, bytes);
    } else {
        PLD_TRY(is_as_stored(item) ? copy_bytes(item, first_byte, bytes, buffer, error)
                                   : convert_piece(conversion, item, first_byte, bytes, buffer, error));
        PLD_TRY(check_sources(item, error));
    }
    *conversion->done += bytes;
    if (conversion->options->progress) {
        const uint64_t all = conversion->all, done = *conversion->done;
        conversion->options->progress(conversion->options->progress_user, done < all ? done : all, all);
    }
    return PLD_OK;
}
