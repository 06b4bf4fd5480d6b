/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions: the choice of a path, and what the paths share. */
#include "core/memory.h"
#include "core/parallel.h"
#include "nn/operators/operators.h"

static const pld_product_path *const paths[] = {&pld_product_bf16,   &pld_product_split,
                                                &pld_product_matrix, &pld_product_winograd,
                                                &pld_product_direct, NULL};

static pld_status prepare_product(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_product_path *const *path = paths;
    while (!(*path)->accepts(run, op)) { /* the last accepts everything */
        path++;
    }
    op->path = *path;
    PLD_TRY(op->path->prepare(run, op, error));
    return op->bias ? pld_parameter_values(op->bias, &op->bias_values, error) : PLD_OK;
}

static size_t product_scratch(const pld_run *run, const pld_operator *op) {
    return op->path->scratch(run, op);
}

static pld_status run_product(pld_run *run, pld_operator *op, pld_error *error) {
    return op->path->run(run, op, error);
}

const pld_operator_kind pld_operator_linear = {"linear", prepare_product, product_scratch, run_product};
const pld_operator_kind pld_operator_conv = {"conv", prepare_product, product_scratch, run_product};

pld_convolution_operands pld_product_operands(const pld_run *run, const pld_operator *op) {
    const pld_plan *plan = run->plan;
    const int64_t channels = op->problem.in_channels;
    const float *factors = pld_plan_data_or_null(plan, op->factors);
    return (pld_convolution_operands){.x = pld_plan_data(plan, op->in),
                                      .scale = factors,
                                      .shift = factors ? factors + channels : NULL,
                                      .factor_step = 2 * channels,
                                      .packed = op->packed,
                                      .bias = op->bias_values,
                                      .vector = pld_plan_data_or_null(plan, op->vector),
                                      .gate = pld_slice_at(run, op->gate, &plan->values[op->out], 0),
                                      .gate_step = pld_slice_step(plan, op->gate),
                                      .residual = pld_plan_data_or_null(plan, op->residual),
                                      .out = pld_plan_data(plan, op->out),
                                      .scratch = plan->scratch};
}

pld_panels pld_product_panels(const pld_operator *op, int64_t taps) {
    pld_panel_type type = PLD_PANEL_F32;
    switch (pld_parameter_dtype(op->weight)) {
    case PLD_DTYPE_F16:
    case PLD_DTYPE_F8_E4M3: /* every value of 8 bits is one of float16's */
    case PLD_DTYPE_F8_E5M2:
        type = PLD_PANEL_F16;
        break;
    case PLD_DTYPE_BF16:
        type = PLD_PANEL_BF16;
        break;
    default:
        break;
    }
    return (pld_panels){type, op->problem.out_channels, op->problem.in_channels, taps, op->geglu};
}

int pld_product_threads(const pld_run *run, double multiplications) {
    return multiplications < 1e6 ? 1 : run->threads;
}

/** One packing; every thread works on panels of its own and stops at its first failure. */
typedef struct panels_job {
    const pld_kernels *kernels;
    const pld_panels *shape;
    int64_t patch_taps; /* that come before the channels in the panels, and after them in the weight */
    const pld_weight_reader *reader;
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

static void pack_range(void *context, size_t begin, size_t end, int thread) {
    const panels_job *job = context;
    const size_t row = (size_t)(job->shape->depth * job->shape->taps);
    float *room = job->rooms + (size_t)thread * job->room_floats;
    struct panels_result *result = &job->results[thread];
    for (size_t panel = begin; panel < end && result->status == PLD_OK; panel++) {
        const size_t first = (size_t)pld_panel_first(job->kernels, job->shape, (int64_t)panel);
        const size_t columns = (size_t)pld_panel_width(job->kernels, job->shape, (int64_t)panel);
        result->status =
            pld_weight_reader_read(job->reader, first * row, columns * row, room, &result->error);
        if (result->status == PLD_OK) {
            const float *weights =
                job->patch_taps > 1 ? turn_patches(job, columns, room, room + job->room_floats / 2) : room;
            pld_panels_pack(job->kernels, job->shape, weights, (int64_t)panel, job->packed);
        }
    }
}

/** What pack_panels needs to know. */
typedef struct panels_request {
    const pld_run *run;
    const pld_panels *shape;
    int64_t patch_taps;
} panels_request;

static pld_status pack_panels(const void *context, const pld_weight_reader *reader, void *packed,
                              pld_error *error) {
    const panels_request *request = context;
    const pld_kernels *k = request->run->kernels;
    const int threads = request->run->threads;
    panels_job job = {.kernels = k,
                      .shape = request->shape,
                      .patch_taps = request->patch_taps,
                      .reader = reader,
                      .packed = packed};
    job.room_floats = (size_t)(k->panel_columns() * job.shape->depth * job.shape->taps);
    job.room_floats *= job.patch_taps > 1 ? 2 : 1;
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

pld_status pld_product_pack_patches(const pld_run *run, pld_operator *op, const pld_panels *panels,
                                    int64_t taps, pld_error *error) {
    /* what makes panels of one layout differ from another's; numbers of one type, since bytes are compared */
    const int64_t layout[] = {panels->type, panels->columns, panels->depth,
                              panels->taps, panels->halves,  run->kernels->panel_columns(),
                              taps};
    const panels_request request = {run, panels, taps};
    const pld_packing packing = {layout, sizeof layout, pld_panels_bytes(run->kernels, panels), pack_panels,
                                 &request};
    return pld_parameter_packed(op->weight, &packing, &op->packed, error);
}

pld_status pld_product_pack(const pld_run *run, pld_operator *op, const pld_panels *panels,
                            pld_error *error) {
    return pld_product_pack_patches(run, op, panels, 1, error);
}
