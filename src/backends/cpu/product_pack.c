/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of products in panels, made by all threads. */
#include <string.h>

#include "backends/cpu/product.h"
#include "core/memory.h"
#include "core/parallel.h"

/** One packing; every thread works on panels of its own and stops at its first failure. */
typedef struct panels_job {
    const pld_kernels *kernels;
    const pld_operator *op;
    const pld_panels *shape;
    int64_t patch_taps; /* that come before the channels in the panels, and after them in the weight */
    const pld_weight_reader *reader;
    const pld_weight_reader *partner; /* of the second half, where it is a weight of its own; or NULL */
    void *packed;
    float *rooms; /* [threads][room_floats], the second half for patches */
    size_t room_floats;
    struct panels_result {
        pld_status status;
        pld_error error;
    } * results; /* [threads] */
} panels_job;

/** rows of [channels, taps] → [taps, channels] */
static const float *turn_patches(const panels_job *job, size_t rows, const float *room, float *turned) {
    const int64_t taps = job->patch_taps, channels = job->shape->depth / taps;
    for (int64_t row = 0; row < (int64_t)rows; row++) {
        const int64_t at = row * job->shape->depth;
        job->kernels->transpose(room + at, taps, channels, taps, turned + at, channels);
    }
    return turned;
}

/** Rows [first, first + columns) as they are stored, each behind its scale; by way of `room`. */
static pld_status keep_scaled_rows(const panels_job *job, const pld_weight_reader *reader, size_t first,
                                   size_t columns, float *room, char *to, pld_error *error) {
    const size_t row = (size_t)job->shape->depth, front = pld_panel_front_bytes(job->shape);
    PLD_TRY(pld_weight_reader_stored(reader, first * row, columns * row, room, error));
    for (size_t i = 0; i < columns; i++, to += front + row) {
        float scale;
        PLD_TRY(pld_weight_reader_row_scales(reader, first + i, 1, &scale, error));
        memcpy(to, &scale, front);
        memcpy(to + front, (const char *)room + i * row, row);
    }
    return PLD_OK;
}

/** Rows of a panel in the type in which they are kept, into their place: as they are stored, or, of a changed weight, made. */
static pld_status keep_rows(const panels_job *job, int64_t panel, const pld_weight_reader *reader,
                            float *room, pld_error *error) {
    const size_t row = (size_t)job->shape->depth,
                 columns = (size_t)pld_panel_width(job->kernels, job->shape, panel);
    const size_t first = (size_t)pld_product_row(job->op, pld_panel_first(job->kernels, job->shape, panel));
    char *to = (char *)job->packed + pld_panel_offset(job->kernels, job->shape, panel);
    if (!reader->values && pld_panel_front_bytes(job->shape)) {
        return keep_scaled_rows(job, reader, first, columns, room, to, error);
    }
    if (!reader->values) {
        return pld_weight_reader_stored(reader, first * row, columns * row, to, error);
    }
    PLD_TRY(pld_weight_reader_read(reader, first * row, columns * row, room, error));
    pld_convert_from_f32(job->kernels, job->shape->stored, room, columns * row, to);
    return PLD_OK;
}

static void pack_range(void *context, size_t begin, size_t end, int thread) {
    const panels_job *job = context;
    const size_t row = (size_t)(job->shape->depth * job->shape->taps);
    float *room = job->rooms + (size_t)thread * job->room_floats;
    struct panels_result *result = &job->results[thread];
    for (size_t panel = begin; panel < end && result->status == PLD_OK; panel++) {
        const size_t columns = (size_t)pld_panel_width(job->kernels, job->shape, (int64_t)panel);
        const int64_t column = pld_panel_first(job->kernels, job->shape, (int64_t)panel);
        const size_t first = (size_t)pld_product_row(job->op, column);
        const bool second = job->partner && panel % 2 == 1; /* panels of the halves alternate */
        if (job->shape->type == PLD_PANEL_STORED) {
            result->status =
                keep_rows(job, (int64_t)panel, second ? job->partner : job->reader, room, &result->error);
            continue;
        }
        result->status = pld_weight_reader_read(second ? job->partner : job->reader, first * row,
                                                columns * row, room, &result->error);
        if (result->status == PLD_OK) {
            const float *weights =
                job->patch_taps > 1 ? turn_patches(job, columns, room, room + job->room_floats / 2) : room;
            pld_panels_pack(job->kernels, job->shape, weights, (int64_t)panel, job->packed);
        }
    }
}

/** What pack_panels needs to know. */
typedef struct panels_request {
    const pld_executable *e;
    const pld_operator *op;
    pld_panels shape;
    int64_t patch_taps;
} panels_request;

/** Floats that each thread works in. */
static size_t room_floats(const panels_request *request) {
    const pld_panels *shape = &request->shape;
    const int64_t panel = pld_cpu_kernels(request->e)->panel_columns() * shape->depth * shape->taps;
    return (size_t)panel * (request->patch_taps > 1 ? 2 : 1);
}

static pld_status pack_panels(const void *context, const pld_weight_reader *reader,
                              const pld_weight_reader *partner, void *packed, pld_error *error) {
    const panels_request *request = context;
    const pld_kernels *k = pld_cpu_kernels(request->e);
    const int threads = pld_cpu_threads(request->e);
    panels_job job = {.kernels = k,
                      .op = request->op,
                      .shape = &request->shape,
                      .patch_taps = request->patch_taps,
                      .reader = reader,
                      .partner = partner,
                      .packed = packed};
    job.room_floats = room_floats(request);
    job.rooms = pld_allocate_aligned((size_t)threads, job.room_floats * sizeof *job.rooms);
    job.results = pld_allocate((size_t)threads, sizeof *job.results);
    pld_status status = PLD_OK;
    if (job.rooms && job.results) {
        pld_parallel_for(threads, (size_t)pld_panel_count(k, job.shape), pack_range, &job);
    } else {
        status = pld_fail_memory(error, (size_t)threads * job.room_floats * sizeof *job.rooms, "packing");
    }
    for (int i = 0; job.results && status == PLD_OK && i < threads; i++) {
        status = job.results[i].status;
        if (status != PLD_OK && error) {
            *error = job.results[i].error;
        }
    }
    pld_free(job.rooms);
    pld_free(job.results);
    return status;
}

pld_status pld_product_pack_patches(pld_executable *e, const pld_operator *op, const pld_panels *panels,
                                    int64_t taps, pld_error *error) {
    pld_parameter *gate = op->product.glu.gate;
    /* what makes panels of one layout differ from another's; numbers of one type, since bytes are compared */
    const int64_t layout[] = {panels->type,
                              panels->columns,
                              panels->depth,
                              panels->taps,
                              panels->halves,
                              pld_cpu_kernels(e)->panel_columns(),
                              taps,
                              gate != NULL,
                              panels->stored,
                              op->product.first_row,
                              op->product.glu.gate_first};
    const panels_request request = {e, op, *panels, taps};
    const pld_packing packing = {.layout = layout,
                                 .layout_size = sizeof layout,
                                 .bytes = pld_panels_bytes(pld_cpu_kernels(e), panels),
                                 .partner = gate,
                                 .pack = pack_panels,
                                 .context = &request,
                                 .context_size = sizeof request,
                                 .room = (size_t)pld_cpu_threads(e) * room_floats(&request) * sizeof(float)};
    return pld_keep_packed(e, op, op->product.weight, &packing, &pld_cpu_operator_of(e, op)->packed, error);
}

pld_status pld_product_pack(pld_executable *e, const pld_operator *op, const pld_panels *panels,
                            pld_error *error) {
    return pld_product_pack_patches(e, op, panels, 1, error);
}
