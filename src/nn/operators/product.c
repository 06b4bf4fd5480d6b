/* SPDX-License-Identifier: Apache-2.0 */
/** Linear layers and convolutions: the choice of a path, and what the paths share. */
#include "core/parallel.h"
#include "nn/operators/operators.h"

static const pld_product_path *const paths[] = {&pld_product_matrix, &pld_product_winograd,
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

pld_panels pld_product_panels(const pld_run *run, const pld_operator *op, int64_t taps) {
    pld_panel_type type = PLD_PANEL_F32;
    if (run->settings.compact) {
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
    }
    return (pld_panels){type, op->problem.out_channels, op->problem.in_channels, taps};
}

typedef struct panels_job {
    const pld_run *run;
    const pld_panels *shape;
    const float *values;
    void *packed;
} panels_job;

static void pack_range(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const panels_job *job = context;
    pld_panels_pack(job->run->kernels, job->shape, job->values, (int64_t)begin, (int64_t)end, job->packed);
}

static pld_status pack_panels(const void *context, const float *values, void *packed, pld_error *error) {
    (void)error;
    panels_job job = *(const panels_job *)context;
    job.values = values;
    job.packed = packed;
    size_t panels = (size_t)pld_panel_count(job.run->kernels, job.shape->columns);
    pld_parallel_for(job.run->threads, panels, pack_range, &job);
    return PLD_OK;
}

pld_status pld_product_pack(const pld_run *run, pld_operator *op, const pld_panels *panels,
                            pld_error *error) {
    /* what makes panels of one layout differ from another's; numbers of one type, since bytes are compared */
    const int64_t layout[] = {panels->type, panels->columns, panels->depth, panels->taps,
                              run->kernels->panel_columns()};
    const panels_job job = {run, panels, NULL, NULL};
    const pld_packing packing = {layout, sizeof layout, pld_panels_bytes(run->kernels, panels), pack_panels,
                                 &job};
    return pld_parameter_packed(op->weight, &packing, &op->packed, error);
}
