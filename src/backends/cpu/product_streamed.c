/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers whose weights are used once and not kept, as those of a text encoder of several gigabytes: each thread
 * reads some panels from the file, packs them in the cache, and multiplies all rows by them. What is packed and in which
 * order it is summed are those of product_matrix.c, and so are the bytes. */
#include "backends/cpu/product.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/matrix.h"

/* Panels that are packed together: the left side passes by once for all of them. */
enum { TOGETHER = 4 };

static bool accepts(const pld_executable *e, const pld_operator *op) {
    const pld_parameter *gate = op->product.glu.gate;
    const bool in_place = op->in != op->out && e->plan->values[op->out].narrows == op->in;
    return e->settings.streamed && op->product.problem.kernel == 0 && !in_place &&
           op->product.gate.value == PLD_NO_VALUE && pld_parameter_is_streamable(op->product.weight) &&
           (!gate || pld_parameter_is_streamable(gate));
}

/** Panels of float32: what is widened as it is packed need not be narrowed in between. */
static pld_matrix matrix_of(const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    const pld_panels panels = {.type = PLD_PANEL_F32,
                               .columns = p->out_channels,
                               .depth = p->in_channels,
                               .taps = 1,
                               .halves = op->product.glu.on};
    return (pld_matrix){
        .weights = panels, .rows = p->batch * p->height * p->width, .gating = pld_product_gating(op)};
}

/** Panel groups (pld_matrix_panel_groups) that make TOGETHER panels. */
static int64_t groups_together(const pld_matrix *matrix) {
    return TOGETHER / pld_panels_together(&matrix->weights);
}

/** Floats of one panel as it is stored, of those packed together, and of the product's scratch. */
typedef struct stream_rooms {
    size_t row_floats, packed_floats, scratch_floats;
} stream_rooms;

static stream_rooms rooms_of(const pld_kernels *k, const pld_matrix *matrix) {
    const int64_t panel = k->panel_columns() * matrix->weights.depth;
    const int64_t scratch = (int64_t)(pld_matrix_scratch(k, matrix, 1) / sizeof(float));
    return (stream_rooms){(size_t)pld_whole_lines(panel), (size_t)pld_whole_lines(TOGETHER * panel),
                          (size_t)pld_whole_lines(scratch)};
}

static size_t thread_floats(const stream_rooms *rooms) {
    return rooms->row_floats + rooms->packed_floats + rooms->scratch_floats;
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)e;
    (void)op;
    (void)error;
    return PLD_OK;
}

static size_t scratch(const pld_executable *e, const pld_operator *op) {
    const pld_matrix matrix = matrix_of(op);
    const stream_rooms rooms = rooms_of(pld_cpu_kernels(e), &matrix);
    return (size_t)pld_cpu_threads(e) * thread_floats(&rooms) * sizeof(float);
}

/** How a thread fared; it stops at its first failure. */
typedef struct stream_result {
    pld_status status;
    pld_error error;
} stream_result;

typedef struct stream_job {
    const pld_kernels *kernels;
    const pld_operator *op;
    const pld_matrix *matrix;
    pld_matrix_operands operands;
    stream_rooms rooms;
    float *memory;          /* [threads][thread_floats] */
    stream_result *results; /* [threads] */
} stream_job;

/** Read and pack panels [first, last). */
static pld_status pack_panels(const stream_job *job, int64_t first, int64_t last, float *room, float *packed,
                              pld_error *error) {
    const pld_panels *shape = &job->matrix->weights;
    pld_parameter *gate = job->op->product.glu.gate;
    for (int64_t panel = first; panel < last; panel++) {
        const int64_t columns = pld_panel_width(job->kernels, shape, panel);
        const bool second = gate && panel % 2 == 1; /* panels of the halves alternate */
        const int64_t row = pld_product_row(job->op, pld_panel_first(job->kernels, shape, panel));
        PLD_TRY(pld_parameter_read(second ? gate : job->op->product.weight, (size_t)(row * shape->depth),
                                   (size_t)(columns * shape->depth), room, error));
        const pld_panels one = {.type = PLD_PANEL_F32, .columns = columns, .depth = shape->depth, .taps = 1};
        pld_panels_pack(job->kernels, &one, room, 0,
                        packed + (panel - first) * job->kernels->panel_columns() * shape->depth);
    }
    return PLD_OK;
}

static void stream_range(void *context, size_t begin, size_t end, int thread) {
    const stream_job *job = context;
    stream_result *result = &job->results[thread];
    float *room = job->memory + (size_t)thread * thread_floats(&job->rooms);
    float *packed = room + job->rooms.row_floats;
    const int64_t together = groups_together(job->matrix),
                  panels = pld_panels_together(&job->matrix->weights);
    const int64_t groups = pld_matrix_panel_groups(job->kernels, job->matrix);
    pld_matrix_operands operands = job->operands;
    operands.packed = packed;
    operands.scratch = packed + job->rooms.packed_floats;
    for (int64_t item = (int64_t)begin; item < (int64_t)end && result->status == PLD_OK; item++) {
        const int64_t first = item * together, last = pld_smaller(first + together, groups);
        operands.first_panel = first * panels;
        result->status = pack_panels(job, first * panels, last * panels, room, packed, &result->error);
        if (result->status == PLD_OK) {
            pld_matrix_run_panels(job->kernels, job->matrix, first, last, &operands);
        }
    }
}

static pld_status run_streamed(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_kernels *k = pld_cpu_kernels(e);
    const int threads = pld_cpu_threads(e);
    const pld_matrix matrix = matrix_of(op);
    stream_job job = {.kernels = k,
                      .op = op,
                      .matrix = &matrix,
                      .operands = {.left = pld_cpu_data(e, op->in),
                                   .bias = pld_cpu_operator_of(e, op)->bias,
                                   .residual = pld_cpu_data_or_null(e, op->product.residual),
                                   .out = pld_cpu_data(e, op->out)},
                      .rooms = rooms_of(k, &matrix),
                      .memory = pld_cpu_scratch(e),
                      .results = pld_allocate((size_t)threads, sizeof *job.results)};
    if (!job.results) {
        return pld_fail_memory(error, (size_t)threads * sizeof *job.results, op->name);
    }
    const int64_t items = pld_parts(pld_matrix_panel_groups(k, &matrix), groups_together(&matrix));
    pld_parallel_for(threads, (size_t)items, stream_range, &job);
    pld_status status = PLD_OK;
    for (int i = 0; status == PLD_OK && i < threads; i++) {
        status = job.results[i].status;
        if (status != PLD_OK && error) {
            *error = job.results[i].error;
        }
    }
    pld_free(job.results);
    return status;
}

const pld_product_path pld_product_streamed = {"streamed", false, accepts, prepare, scratch, run_streamed};
