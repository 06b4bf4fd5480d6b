/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers of groups of channels. */
#include "kernels/grouped.h"

#include "backends/cpu/product.h"
#include "core/memory.h"

static bool accepts(const pld_executable *e, const pld_operator *op) {
    (void)e;
    return op->product.problem.kernel == 0 && !op->product.bias && !op->product.glu.on &&
           op->product.residual == PLD_NO_VALUE;
}

static pld_grouped problem_of(const pld_operator *op) {
    const pld_product_problem *p = &op->product.problem;
    return (pld_grouped){.rows = p->batch * p->height * p->width,
                         .groups = p->groups,
                         .depth = p->in_channels / p->groups,
                         .columns = p->out_channels / p->groups};
}

/** What pack_groups needs to know. */
typedef struct groups_request {
    const pld_kernels *kernels;
    pld_grouped grouped;
} groups_request;

static pld_status pack_groups(const void *context, const pld_weight_reader *reader,
                              const pld_weight_reader *partner, void *packed, pld_error *error) {
    (void)partner;
    const groups_request *request = context;
    const pld_grouped *g = &request->grouped;
    const size_t count = (size_t)(g->columns * g->depth);
    float *room = pld_allocate_aligned(count, sizeof *room);
    if (!room) {
        return pld_fail_memory(error, count * sizeof *room, "packing");
    }
    pld_status status = PLD_OK;
    for (int64_t group = 0; status == PLD_OK && group < g->groups; group++) {
        status = pld_weight_reader_read(reader, (size_t)group * count, count, room, error);
        if (status == PLD_OK) {
            pld_grouped_pack(request->kernels, g, room, group, packed);
        }
    }
    pld_free(room);
    return status;
}

static pld_status prepare(pld_executable *e, const pld_operator *op, pld_error *error) {
    const groups_request request = {pld_cpu_kernels(e), problem_of(op)};
    const int64_t layout[] = {request.grouped.groups, request.kernels->panel_columns()};
    const pld_packing packing = {.layout = layout,
                                 .layout_size = sizeof layout,
                                 .bytes = pld_grouped_bytes(request.kernels, &request.grouped),
                                 .pack = pack_groups,
                                 .context = &request,
                                 .context_size = sizeof request,
                                 .room = (size_t)(request.grouped.columns * request.grouped.depth) *
                                         sizeof(float)};
    return pld_keep_packed(e, op, op->product.weight, &packing, &pld_cpu_operator_of(e, op)->packed, error);
}

static size_t scratch(const pld_executable *e, const pld_operator *op) {
    (void)e;
    (void)op;
    return 0;
}

static pld_status run_grouped(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    pld_grouped grouped = problem_of(op);
    grouped.x = pld_cpu_data(e, op->in);
    grouped.packed = pld_cpu_operator_of(e, op)->packed.data;
    grouped.out = pld_cpu_data(e, op->out);
    pld_grouped_run(pld_cpu_kernels(e), &grouped,
                    pld_product_threads(e, (double)(grouped.rows * grouped.groups * grouped.depth) *
                                               (double)grouped.columns));
    return PLD_OK;
}

const pld_product_path pld_product_grouped = {"grouped", true, accepts, prepare, scratch, run_grouped};
