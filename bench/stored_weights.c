/* SPDX-License-Identifier: Apache-2.0 */
/* A linear layer whose weights stay as they are stored, or become 8-bit integers as the activations do, type after type in
 * turns, against those of bfloat16. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/matrix.h"
#include "measure.h"

enum { ROWS = 1408, DEPTH = 3072, COLUMNS = 1024, LEAST_ROUNDS = 3, MOST_ROUNDS = 15 };

/** What weights are; the first is what the others are compared with. */
typedef struct weight_form {
    const char *name, *products;
    pld_panel_type panels;
    pld_dtype stored; /* of rows as they are stored */
} weight_form;

static const weight_form forms[] = {{"bf16", "f32", PLD_PANEL_BF16, PLD_DTYPE_BF16},
                                    {"f8_e4m3", "f32", PLD_PANEL_STORED, PLD_DTYPE_F8_E4M3},
                                    {"i8", "f32", PLD_PANEL_STORED, PLD_DTYPE_I8},
                                    {"q8_0", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q8_0},
                                    {"q6_k", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q6_K},
                                    {"q5_k", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q5_K},
                                    {"q4_k", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q4_K},
                                    {"q4_0", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q4_0},
                                    {"q2_k", "f32", PLD_PANEL_STORED, PLD_DTYPE_Q2_K},
                                    {"int8 by --dtype", "int8", PLD_PANEL_INT8, PLD_DTYPE_F32}};
enum { FORMS = sizeof forms / sizeof *forms };

typedef struct layer_memory {
    float *left, *out; /* [ROWS, DEPTH], [ROWS, COLUMNS] */
    unsigned char *packed;
    void *scratch;
} layer_memory;

static pld_matrix matrix_of(const weight_form *form) {
    const pld_panels weights = {.type = form->panels,
                                .columns = COLUMNS,
                                .depth = DEPTH,
                                .taps = 1,
                                .stored = form->stored,
                                .scale = {1, 1}};
    return (pld_matrix){.weights = weights, .rows = ROWS};
}

static bool allocate(const bench_run *run, layer_memory *m) {
    size_t scratch = 0;
    for (int i = 0; i < FORMS; i++) {
        const pld_matrix matrix = matrix_of(&forms[i]);
        const size_t bytes = pld_matrix_scratch(run->kernels, &matrix, run->threads);
        scratch = bytes > scratch ? bytes : scratch;
    }
    const size_t packed = sizeof(uint16_t) * (COLUMNS + 64) * DEPTH; /* of the widest type */
    *m = (layer_memory){.left = pld_allocate_aligned((size_t)ROWS * DEPTH, sizeof(float)),
                        .out = pld_allocate_aligned((size_t)ROWS * COLUMNS, sizeof(float)),
                        .packed = pld_allocate_aligned(packed, 1),
                        .scratch = pld_allocate_aligned(scratch, 1)};
    const bool there = m->left && m->out && m->packed && m->scratch;
    float *numbers = bench_numbers((size_t)ROWS * DEPTH, 1);
    if (there && numbers) { /* small numbers in every type */
        memset(m->packed, 0x11, packed);
        memcpy(m->left, numbers, sizeof(float) * ROWS * DEPTH);
    }
    pld_free(numbers);
    return there && numbers;
}

static void release(layer_memory *m) {
    pld_free(m->left);
    pld_free(m->out);
    pld_free(m->packed);
    pld_free(m->scratch);
}

static double time_of(const bench_run *run, const layer_memory *m, const weight_form *form) {
    const pld_matrix matrix = matrix_of(form);
    const pld_matrix_operands operands = {
        .left = m->left, .packed = m->packed, .out = m->out, .scratch = m->scratch};
    const double start = bench_now(run->threads);
    pld_matrix_run(run->kernels, &matrix, run->threads, &operands);
    return bench_now(run->threads) - start;
}

static pld_status add_results(bench_run *run, const bench_samples *samples, pld_error *error) {
    for (int i = 0; i < FORMS; i++) {
        bench_result result = bench_figures("kernels", &samples[i], "s");
        snprintf(result.name, sizeof result.name, "linear, weights %s", forms[i].name);
        snprintf(result.shape, sizeof result.shape, "[%d, %d] x [%d, %d]", ROWS, DEPTH, DEPTH, COLUMNS);
        snprintf(result.implementation, sizeof result.implementation, "%s", forms[i].products);
        result.operations = 2.0 * ROWS * DEPTH * COLUMNS;
        if (i > 0) {
            result.ratio = bench_ratio(&samples[i], &samples[0]);
            snprintf(result.ratio_to, sizeof result.ratio_to, "%s", forms[0].name);
        }
        PLD_TRY(bench_add(run, &result, error));
    }
    return PLD_OK;
}

pld_status bench_stored_weights(bench_run *run, pld_error *error) {
    static bench_samples samples[FORMS];
    layer_memory m;
    if (!bench_wanted(run, "linear, weights as stored")) {
        return PLD_OK;
    }
    pld_status status =
        allocate(run, &m) ? PLD_OK : pld_fail_memory(error, sizeof(float) * ROWS * DEPTH, "bench");
    const int wanted = run->options.repeats ? run->options.repeats : MOST_ROUNDS;
    const int rounds = wanted < LEAST_ROUNDS ? LEAST_ROUNDS : wanted;
    for (int i = 0; i < FORMS; i++) {
        samples[i].count = 0;
    }
    for (int round = -1; status == PLD_OK && round < rounds && round < BENCH_MOST_REPEATS; round++) {
        for (int i = 0; i < FORMS; i++) {
            const double seconds = time_of(run, &m, &forms[i]);
            if (round >= 0) {
                bench_add_sample(&samples[i], seconds);
            }
        }
    }
    status = status == PLD_OK ? add_results(run, samples, error) : status;
    release(&m);
    return status;
}
