/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/cpu/factor_product.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "kernels/matrix.h"

/** The right side into panels, as if it were a layer's weight. */
typedef struct panels_task {
    const pld_factor_product *product;
    const pld_kernels *kernels;
    const pld_panels *shape;
    float *packed; /* [panel][inner][column in the panel] */
} panels_task;

static void pack_panels(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const panels_task *task = context;
    const pld_factor_product *p = task->product;
    const size_t width = (size_t)task->kernels->panel_columns();
    for (size_t panel = begin; panel < end; panel++) {
        const size_t columns = (size_t)pld_panel_width(task->kernels, task->shape, (int64_t)panel);
        float *to = task->packed + panel * p->inner * width;
        for (size_t row = 0; row < p->inner; row++, to += width) {
            memcpy(to, p->right + row * p->columns + panel * width, columns * sizeof *to);
            memset(to + columns, 0, (width - columns) * sizeof *to);
        }
    }
}

pld_status pld_factor_product_run(const pld_factor_product *p, const pld_kernels *k, int threads, float *out,
                                  pld_error *error) {
    /* waking a thread costs as much as a million multiplications */
    const double work = (double)p->rows * (double)p->inner * (double)p->columns;
    const int workers = work < 1e6 ? 1 : threads;
    const pld_matrix matrix = {.weights = {PLD_PANEL_F32, (int64_t)p->columns, (int64_t)p->inner, 1, false},
                               .rows = (int64_t)p->rows};
    const size_t bytes = pld_panels_bytes(k, &matrix.weights), room = pld_matrix_scratch(k, &matrix, workers);
    float *packed = pld_allocate_aligned(bytes, 1);
    void *scratch = pld_allocate_aligned(room, 1);
    if (!packed || !scratch) {
        pld_free(packed);
        pld_free(scratch);
        return pld_fail_memory(error, bytes + room, "the product of a LoRA's factors");
    }
    panels_task task = {p, k, &matrix.weights, packed};
    pld_parallel_for(workers, (size_t)pld_panel_count(k, &matrix.weights), pack_panels, &task);
    pld_matrix_run(k, &matrix, workers,
                   &(pld_matrix_operands){.left = p->left,
                                          .packed = packed,
                                          .residual = p->accumulate ? out : NULL,
                                          .out = out,
                                          .scratch = scratch});
    pld_free(packed);
    pld_free(scratch);
    return PLD_OK;
}
