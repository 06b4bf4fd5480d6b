/* SPDX-License-Identifier: Apache-2.0 */
/* Each group is a product of its own, on panels; some rows of all groups are an item. */
#include "kernels/grouped.h"

#include "core/parallel.h"
#include "kernels/cuts.h"
#include "kernels/panels.h"

enum { ROWS = 48 };

static pld_panels panels_of(const pld_grouped *g) {
    return (pld_panels){.type = PLD_PANEL_F32, .columns = g->columns, .depth = g->depth, .taps = 1};
}

size_t pld_grouped_bytes(const pld_kernels *k, const pld_grouped *grouped) {
    const pld_panels panels = panels_of(grouped);
    return (size_t)grouped->groups * pld_panels_bytes(k, &panels);
}

void pld_grouped_pack(const pld_kernels *k, const pld_grouped *grouped, const float *weights, int64_t group,
                      void *packed) {
    const pld_panels panels = panels_of(grouped);
    char *to = (char *)packed + (size_t)group * pld_panels_bytes(k, &panels);
    for (int64_t panel = 0; panel < pld_panel_count(k, &panels); panel++) {
        pld_panels_pack(k, &panels, weights + pld_panel_first(k, &panels, panel) * grouped->depth, panel, to);
    }
}

typedef struct grouped_job {
    const pld_kernels *k;
    const pld_grouped *g;
} grouped_job;

/** Rows [row, row + rows) of one group. */
static void run_group(const grouped_job *job, int64_t row, int64_t rows, int64_t group) {
    const pld_grouped *g = job->g;
    const pld_panels panels = panels_of(g);
    const int64_t count = pld_panel_count(job->k, &panels), width = job->k->panel_columns();
    const float *packed = (const float *)g->packed + group * count * width * g->depth;
    const int64_t in_row = g->groups * g->depth, out_row = g->groups * g->columns;
    for (int64_t panel = 0; panel < count; panel++) {
        const pld_panel_product product = {
            .left = g->x + row * in_row + group * g->depth,
            .left_row = in_row,
            .rows = rows,
            .depth = g->depth,
            .panel = packed + panel * width * g->depth,
            .to = {.out = g->out + row * out_row + group * g->columns + panel * width,
                   .out_row = out_row,
                   .columns = pld_panel_width(job->k, &panels, panel)}};
        job->k->panel_product(&product);
    }
}

static void run_items(void *context, size_t begin, size_t end, int thread) {
    const grouped_job *job = context;
    (void)thread;
    for (size_t item = begin; item < end; item++) {
        const int64_t row = (int64_t)item * ROWS, rows = pld_smaller(ROWS, job->g->rows - row);
        for (int64_t group = 0; group < job->g->groups; group++) {
            run_group(job, row, rows, group);
        }
    }
}

void pld_grouped_run(const pld_kernels *k, const pld_grouped *grouped, int threads) {
    grouped_job job = {k, grouped};
    pld_parallel_for(threads, (size_t)pld_parts(grouped->rows, ROWS), run_items, &job);
}
