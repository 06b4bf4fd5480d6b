/* SPDX-License-Identifier: Apache-2.0 */
/* A linear layer whose weights stay as they are stored, type after type in turns, against bfloat16's. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/matrix.h"
#include "measure.h"

enum { ROWS = 1408, DEPTH = 3072, COLUMNS = 1024, LEAST_ROUNDS = 3, MOST_ROUNDS = 15 };

/** Types of rows; the first is what the others are compared with, and has panels of its own. */
static const pld_dtype types[] = {PLD_DTYPE_BF16, PLD_DTYPE_F8_E4M3, PLD_DTYPE_Q8_0, PLD_DTYPE_Q6_K,
                                  PLD_DTYPE_Q5_K, PLD_DTYPE_Q4_K,    PLD_DTYPE_Q4_0, PLD_DTYPE_Q2_K};
enum { TYPES = sizeof types / sizeof *types };

typedef struct layer_memory {
    float *left, *out; /* [ROWS, DEPTH], [ROWS, COLUMNS] */
    unsigned char *packed;
    void *scratch;
} layer_memory;

static pld_matrix matrix_of(pld_dtype type) {
    const pld_panels weights = {.type = type == PLD_DTYPE_BF16 ? PLD_PANEL_BF16 : PLD_PANEL_STORED,
                                .columns = COLUMNS,
                                .depth = DEPTH,
                                .taps = 1,
                                .stored = type,
                                .scale = {1, 1}};
    return (pld_matrix){.weights = weights, .rows = ROWS};
}

static bool allocate(const bench_run *run, layer_memory *m) {
    size_t scratch = 0;
    for (int i = 0; i < TYPES; i++) {
        const pld_matrix matrix = matrix_of(types[i]);
        const size_t bytes = pld_matrix_scratch(run->kernels, &matrix, run->threads);
        scratch = bytes > scratch ? bytes : scratch;
    }
    const size_t packed = sizeof(uint16_t) * (COLUMNS + 64) * DEPTH; /* of the widest type */
    *m = (layer_memory){.left = pld_allocate_aligned((size_t)ROWS * DEPTH, sizeof(float)),
                        .out = pld_allocate_aligned((size_t)ROWS * COLUMNS, sizeof(float)),
                        .packed = pld_allocate_aligned(packed, 1),
                        .scratch = pld_allocate_aligned(scratch, 1)};
    const bool there = m->left && m->out && m->packed && m->scratch;
    if (there) { /* small numbers in every type */
        memset(m->packed, 0x11, packed);
        memset(m->left, 0, sizeof(float) * ROWS * DEPTH);
    }
    return there;
}

static void release(layer_memory *m) {
    pld_free(m->left);
    pld_free(m->out);
    pld_free(m->packed);
    pld_free(m->scratch);
}

static double time_of(const bench_run *run, const layer_memory *m, pld_dtype type) {
    const pld_matrix matrix = matrix_of(type);
    const pld_matrix_operands operands = {
        .left = m->left, .packed = m->packed, .out = m->out, .scratch = m->scratch};
    const double start = bench_now(run->threads);
    pld_matrix_run(run->kernels, &matrix, run->threads, &operands);
    return bench_now(run->threads) - start;
}

static pld_status add_results(bench_run *run, const bench_samples *samples, pld_error *error) {
    for (int i = 0; i < TYPES; i++) {
        bench_result result = bench_figures("kernels", &samples[i], "s");
        snprintf(result.name, sizeof result.name, "linear, weights %s", pld_dtype_name(types[i]));
        snprintf(result.shape, sizeof result.shape, "[%d, %d] x [%d, %d]", ROWS, DEPTH, DEPTH, COLUMNS);
        snprintf(result.implementation, sizeof result.implementation, "f32");
        result.operations = 2.0 * ROWS * DEPTH * COLUMNS;
        if (i > 0) {
            result.ratio = bench_ratio(&samples[i], &samples[0]);
            snprintf(result.ratio_to, sizeof result.ratio_to, "%s", pld_dtype_name(types[0]));
        }
        PLD_TRY(bench_add(run, &result, error));
    }
    return PLD_OK;
}

pld_status bench_stored_weights(bench_run *run, pld_error *error) {
    static bench_samples samples[TYPES];
    layer_memory m;
    if (!bench_wanted(run, "linear, weights as stored")) {
        return PLD_OK;
    }
    pld_status status =
        allocate(run, &m) ? PLD_OK : pld_fail_memory(error, sizeof(float) * ROWS * DEPTH, "bench");
    const int wanted = run->options.repeats ? run->options.repeats : MOST_ROUNDS;
    const int rounds = wanted < LEAST_ROUNDS ? LEAST_ROUNDS : wanted;
    for (int i = 0; i < TYPES; i++) {
        samples[i].count = 0;
    }
    for (int round = -1; status == PLD_OK && round < rounds && round < BENCH_MOST_REPEATS; round++) {
        for (int i = 0; i < TYPES; i++) {
            const double seconds = time_of(run, &m, types[i]);
            if (round >= 0) {
                bench_add_sample(&samples[i], seconds);
            }
        }
    }
    status = status == PLD_OK ? add_results(run, samples, error) : status;
    release(&m);
    return status;
}
