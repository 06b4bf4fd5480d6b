/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels alone, on one thread: the row normalisers of attention, and what reads and writes whole
 * activations. */
#include <stdio.h>

#include "bench/measure.h"
#include "core/memory.h"
#include "kernels/depthwise.h"
#include "kernels/gate_halves.h"
#include "kernels/linear_attention.h"

enum { TOKENS = 1024, CHANNELS = 1280, ROWS = 960, MOST_KEYS = 512, MOST_ROUNDS = 31 };

/** Buffers that every kernel finds its arguments in. */
typedef struct buffers {
    float *a, *b, *c;      /* [TOKENS, CHANNELS] */
    float *scale, *shift;  /* [2 * CHANNELS] */
    uint16_t *halves;      /* [TOKENS * CHANNELS] */
    float *rows, *weights; /* [ROWS, MOST_KEYS] */
    float *scratch;
} buffers;

typedef struct kernel_row {
    const char *name;
    void (*run)(const pld_kernels *k, buffers *b);
    double bytes; /* that one run reads and writes, for one element of TOKENS * CHANNELS */
} kernel_row;

enum { COUNT = TOKENS * CHANNELS };

static void run_silu(const pld_kernels *k, buffers *b) {
    k->silu(b->a, COUNT, b->c);
}
static void run_gelu(const pld_kernels *k, buffers *b) {
    k->gelu(b->a, COUNT, b->c);
}
static void run_gelu_tanh(const pld_kernels *k, buffers *b) {
    k->gelu_tanh(b->a, COUNT, b->c);
}
static void run_quick_gelu(const pld_kernels *k, buffers *b) {
    k->quick_gelu(b->a, COUNT, b->c);
}
static void run_relu(const pld_kernels *k, buffers *b) {
    k->relu(b->a, COUNT, b->c);
}
static void run_geglu(const pld_kernels *k, buffers *b) {
    pld_gate_halves(k, (pld_gating){PLD_GATE_GELU, false}, b->a, TOKENS / 2, CHANNELS, b->c, CHANNELS);
}
static void run_gated_silu(const pld_kernels *k, buffers *b) {
    pld_gate_halves(k, (pld_gating){PLD_GATE_SILU, true}, b->a, TOKENS / 2, CHANNELS, b->c, CHANNELS);
}
static void run_gated_gelu_tanh(const pld_kernels *k, buffers *b) {
    pld_gate_halves(k, (pld_gating){PLD_GATE_GELU_TANH, true}, b->a, TOKENS / 2, CHANNELS, b->c, CHANNELS);
}
static void run_gated_add(const pld_kernels *k, buffers *b) {
    k->gated_add(b->a, b->b, b->scale, TOKENS, CHANNELS, b->c);
}
static void run_layer_norm_modulated(const pld_kernels *k, buffers *b) {
    k->layer_norm_modulated(b->a, TOKENS, CHANNELS, 1e-5F, b->scale, b->shift, b->c);
}
static void run_rms_norm_modulated(const pld_kernels *k, buffers *b) {
    k->rms_norm_modulated(b->a, TOKENS, CHANNELS, 1e-5F, b->scale, b->scale, b->shift, b->c);
}
static void rotate(const pld_kernels *k, const buffers *b, bool halves, pld_head_norm norm) {
    enum { HEAD_SIZE = 128 };
    k->rotate_heads(&(pld_head_rotation){.x = b->a,
                                         .out = b->c,
                                         .x_row = CHANNELS,
                                         .out_row = CHANNELS,
                                         .tokens = TOKENS,
                                         .heads = CHANNELS / HEAD_SIZE,
                                         .head_size = HEAD_SIZE,
                                         .norm = norm,
                                         .weight = b->scale,
                                         .epsilon = 1e-6F,
                                         .width = HEAD_SIZE,
                                         .halves = halves,
                                         .cos = b->b,
                                         .sin = b->b + COUNT / 2});
}
static void run_rotate_pairs(const pld_kernels *k, buffers *b) {
    rotate(k, b, false, PLD_HEAD_NORM_EACH);
}
static void run_rotate_halves(const pld_kernels *k, buffers *b) {
    rotate(k, b, true, PLD_HEAD_NORM_EACH);
}
static void run_rotate_alone(const pld_kernels *k, buffers *b) {
    rotate(k, b, false, PLD_HEAD_NORM_NONE);
}
static void depthwise(const pld_kernels *k, const buffers *b, bool gated) {
    pld_depthwise_run(k,
                      &(pld_depthwise){.batch = 1,
                                       .height = 32,
                                       .width = TOKENS / 32,
                                       .channels = CHANNELS,
                                       .gated = gated,
                                       .side = 3,
                                       .x = b->a,
                                       .weights = b->b,
                                       .bias = b->shift,
                                       .out = b->c},
                      1);
}
static void run_depthwise(const pld_kernels *k, buffers *b) {
    depthwise(k, b, false);
}
static void run_depthwise_gated(const pld_kernels *k, buffers *b) {
    depthwise(k, b, true);
}
static void run_linear_attention(const pld_kernels *k, buffers *b) {
    enum { HEAD_SIZE = 32 };
    pld_linear_attention_run(k,
                             &(pld_linear_attention){.batch = 1,
                                                     .tokens = TOKENS,
                                                     .heads = CHANNELS / HEAD_SIZE,
                                                     .head_size = HEAD_SIZE,
                                                     .query = b->a,
                                                     .key = b->b,
                                                     .value = b->b,
                                                     .token_stride = CHANNELS,
                                                     .head_stride = HEAD_SIZE,
                                                     .out = b->c,
                                                     .out_token_stride = CHANNELS,
                                                     .out_head_stride = HEAD_SIZE,
                                                     .epsilon = 1e-15F},
                             1, b->scratch);
}
static void run_patchify(const pld_kernels *k, buffers *b) {
    k->patchify(&(pld_patch_grid){CHANNELS / 20, 128, 160, 2, false, true}, b->a, b->c);
}
static void run_pixel_shuffle(const pld_kernels *k, buffers *b) {
    k->pixel_shuffle(&(pld_pixel_grid){32, 16, 2, CHANNELS, CHANNELS / 2}, b->a, NULL, b->c);
}
static void run_pixel_unshuffle(const pld_kernels *k, buffers *b) {
    k->pixel_unshuffle(&(pld_pixel_grid){32, 16, 2, CHANNELS, CHANNELS / 2}, b->a, NULL, b->c);
}
static void run_layer_norm(const pld_kernels *k, buffers *b) {
    k->layer_norm(b->a, TOKENS, CHANNELS, 1e-5F, b->scale, b->shift, b->c);
}
static void run_rms_norm(const pld_kernels *k, buffers *b) {
    k->rms_norm(b->a, TOKENS, CHANNELS, 1e-5F, b->scale, b->c);
}
static void run_moments(const pld_kernels *k, buffers *b) {
    k->channel_moments(b->a, TOKENS, CHANNELS, b->scale, b->shift);
}
static void run_scale_shift(const pld_kernels *k, buffers *b) {
    k->scale_shift(b->a, TOKENS, CHANNELS, b->scale, b->shift, true, b->c);
}
static void run_add(const pld_kernels *k, buffers *b) {
    k->add(b->a, b->b, COUNT, b->c);
}
static void run_concat(const pld_kernels *k, buffers *b) {
    k->concat_channels(b->a, CHANNELS / 2, b->b, CHANNELS / 2, TOKENS, b->c);
}
static void run_f16_to_f32(const pld_kernels *k, buffers *b) {
    k->f16_to_f32(b->halves, COUNT, b->c);
}
static void run_bf16_to_f32(const pld_kernels *k, buffers *b) {
    k->bf16_to_f32(b->halves, COUNT, b->c);
}
static void run_f32_to_bf16(const pld_kernels *k, buffers *b) {
    k->f32_to_bf16(b->a, COUNT, b->halves);
}
static void run_f32_split(const pld_kernels *k, buffers *b) {
    k->f32_split(b->a, COUNT / 2, b->halves, (char *)b->halves + COUNT);
}
static void run_to_nhwc(const pld_kernels *k, buffers *b) {
    k->nchw_to_nhwc(b->a, CHANNELS, TOKENS, b->c);
}

static const kernel_row kernels[] = {
    {"silu", run_silu, 8},
    {"gelu", run_gelu, 8},
    {"gelu_tanh", run_gelu_tanh, 8},
    {"quick_gelu", run_quick_gelu, 8},
    {"relu", run_relu, 8},
    {"gate, gelu", run_geglu, 6},
    {"gate, silu", run_gated_silu, 6},
    {"gate, gelu_tanh", run_gated_gelu_tanh, 6},
    {"layer_norm", run_layer_norm, 8},
    {"rms_norm", run_rms_norm, 8},
    {"layer_norm_modulated", run_layer_norm_modulated, 8},
    {"rms_norm_modulated", run_rms_norm_modulated, 8},
    {"rotate_heads, pairs, normed", run_rotate_pairs, 8},
    {"rotate_heads, halves, normed", run_rotate_halves, 8},
    {"rotate_heads, pairs", run_rotate_alone, 8},
    {"channel_moments", run_moments, 4},
    {"scale_shift, silu", run_scale_shift, 8},
    {"add", run_add, 12},
    {"gated_add", run_gated_add, 12},
    {"depthwise_row", run_depthwise, 8},
    {"depthwise_row, silu", run_depthwise_gated, 6},
    {"linear_attention", run_linear_attention, 16},
    {"concat_channels", run_concat, 8},
    {"f16_to_f32", run_f16_to_f32, 6},
    {"bf16_to_f32", run_bf16_to_f32, 6},
    {"f32_to_bf16", run_f32_to_bf16, 6},
    {"f32_split", run_f32_split, 4},
    {"nchw_to_nhwc", run_to_nhwc, 8},
    {"patchify", run_patchify, 8},
    {"pixel_shuffle", run_pixel_shuffle, 6},
    {"pixel_unshuffle", run_pixel_unshuffle, 6},
};

/* Products of a block of rows that the second cache holds with a panel that the first holds. */
enum { PRODUCT_ROWS = 240, PRODUCT_BYTES = 1024 /* of a row */ };

static void run_panel_product(const pld_kernels *k, buffers *b) {
    k->panel_product(&(pld_panel_product){
        .left = b->a,
        .left_row = PRODUCT_BYTES / 4,
        .rows = PRODUCT_ROWS,
        .depth = PRODUCT_BYTES / 4,
        .panel = b->b,
        .to = {.out = b->c, .out_row = k->panel_columns(), .columns = k->panel_columns()}});
}

static void run_pair_product(const pld_kernels *k, buffers *b) {
    uint32_t *pairs = (uint32_t *)(void *)b->halves;
    k->pair_product(&(pld_pair_product){.left = pairs,
                                        .left_row = PRODUCT_BYTES / 4,
                                        .run_rows = PRODUCT_ROWS,
                                        .rows = PRODUCT_ROWS,
                                        .pairs = PRODUCT_BYTES / 4,
                                        .taps = 1,
                                        .panel = pairs + PRODUCT_ROWS * PRODUCT_BYTES / 4,
                                        .out = b->c,
                                        .out_row = k->panel_columns(),
                                        .columns = k->panel_columns()});
}

static void run_int8_product(const pld_kernels *k, buffers *b) {
    const uint32_t *words = (const uint32_t *)(const void *)b->a;
    const int64_t row = PLD_INT8_DEPTH / 4 * k->int8_words();
    k->int8_product(&(pld_int8_product){
        .left = words,
        .left_row = row,
        .left_scales = b->b,
        .rows = PRODUCT_ROWS,
        .words = row,
        .panel = words + PRODUCT_ROWS * row,
        .scales = b->b,
        .sums = (const int32_t *)(const void *)b->b,
        .to = {.out = b->c, .out_row = k->panel_columns(), .columns = k->panel_columns()}});
}

static const struct {
    const char *name, *implementation;
    void (*run)(const pld_kernels *k, buffers *b);
    int numbers; /* of a row */
} products[] = {{"int8_product", "int8", run_int8_product, PLD_INT8_DEPTH},
                {"panel_product", "f32", run_panel_product, PRODUCT_BYTES / 4},
                {"pair_product", "bf16", run_pair_product, PRODUCT_BYTES / 2}};

/** How the rows of attention become weights. */
static const struct {
    const char *name;
    float lambda, alpha;
} rules[] = {{"softmax", 0, 1.5F},
             {"pladis 1.5", 2, 1.5F},
             {"pladis 2", 2, 2},
             {"pladis 1.25", 2, 1.25F},
             {"pladis 1.7", 2, 1.7F}};
enum { RULES = sizeof rules / sizeof rules[0] };

static const int64_t key_counts[] = {77, 154, 300, MOST_KEYS};
enum { KEY_COUNTS = sizeof key_counts / sizeof key_counts[0] };

/** Floats of scratch that suffice for each number of keys: more keys may need less. */
static size_t most_scratch(const pld_kernels *k) {
    size_t most = 0;
    for (int i = 0; i < KEY_COUNTS; i++) {
        const size_t floats = k->rows_scratch(key_counts[i]);
        most = floats > most ? floats : most;
    }
    return most;
}

static bool allocate(const bench_run *run, buffers *b) {
    *b = (buffers){.a = bench_numbers(COUNT, 1),
                   .b = bench_numbers(COUNT, 1),
                   .c = bench_numbers(COUNT, 1),
                   .scale = bench_numbers((size_t)2 * CHANNELS, 1),
                   .shift = bench_numbers((size_t)2 * CHANNELS, 1),
                   .halves = pld_allocate(COUNT, sizeof(uint16_t)),
                   .rows = bench_numbers((size_t)ROWS * MOST_KEYS, 2.2F), /* logits as of trained models */
                   .weights = bench_numbers((size_t)ROWS * MOST_KEYS, 1),
                   .scratch = pld_allocate_aligned(most_scratch(run->kernels), sizeof(float))};
    return b->a && b->b && b->c && b->scale && b->shift && b->halves && b->rows && b->weights && b->scratch;
}

static void release(buffers *b) {
    float *all[] = {b->a, b->b, b->c, b->scale, b->shift, b->rows, b->weights, b->scratch};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pld_free(all[i]);
    }
    pld_free(b->halves);
}

/** Seconds of one row of `keys` logits, each rule in turn. */
static pld_status measure_rows(bench_run *run, const buffers *b, int64_t keys, pld_error *error) {
    static bench_samples samples[RULES];
    const int rounds = run->options.repeats ? run->options.repeats : MOST_ROUNDS;
    for (int rule = 0; rule < RULES; rule++) {
        samples[rule].count = 0;
    }
    for (int round = -1; round < rounds && round < BENCH_MOST_REPEATS; round++) {
        for (int rule = 0; rule < RULES; rule++) {
            const double start = bench_now(1);
            run->kernels->attention_rows(b->rows, ROWS, keys, NULL, 0, rules[rule].lambda, rules[rule].alpha,
                                         b->weights, b->scratch);
            if (round >= 0) {
                bench_add_sample(&samples[rule], (bench_now(1) - start) / ROWS);
            }
        }
    }
    for (int rule = 0; rule < RULES; rule++) {
        bench_result result = bench_figures("kernels", &samples[rule], "s");
        snprintf(result.name, sizeof result.name, "row, %s", rules[rule].name);
        snprintf(result.shape, sizeof result.shape, "%d keys", (int)keys);
        if (rule > 0) {
            result.ratio = bench_ratio(&samples[rule], &samples[0]);
            snprintf(result.ratio_to, sizeof result.ratio_to, "%s", rules[0].name);
        }
        if (bench_wanted(run, result.name)) {
            PLD_TRY(bench_add(run, &result, error));
        }
    }
    return PLD_OK;
}

static void sample_kernel(const bench_run *run, buffers *b, void (*kernel)(const pld_kernels *k, buffers *b),
                          bench_samples *samples) {
    const double start = bench_now(1);
    kernel(run->kernels, b);
    const int repeats = bench_repeats(run, bench_now(1) - start, 5);
    samples->count = 0;
    for (int i = 0; i < repeats; i++) {
        const double begin = bench_now(1);
        kernel(run->kernels, b);
        bench_add_sample(samples, bench_now(1) - begin);
    }
}

/** Products of both types, on one thread of the machine's. */
static pld_status measure_products(bench_run *run, buffers *b, pld_error *error) {
    static bench_samples samples;
    run->kernels->f32_to_bf16(b->a, COUNT, b->halves);
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        if (!bench_wanted(run, products[i].name)) {
            continue;
        }
        sample_kernel(run, b, products[i].run, &samples);
        bench_result result = bench_figures("kernels", &samples, "s");
        const int columns = (int)run->kernels->panel_columns();
        snprintf(result.name, sizeof result.name, "%s", products[i].name);
        snprintf(result.shape, sizeof result.shape, "[%d, %d] x [%d, %d], 1 thread", PRODUCT_ROWS,
                 products[i].numbers, products[i].numbers, columns);
        snprintf(result.implementation, sizeof result.implementation, "%s", products[i].implementation);
        result.operations = 2.0 * PRODUCT_ROWS * products[i].numbers * columns;
        PLD_TRY(bench_add(run, &result, error));
    }
    return PLD_OK;
}

static pld_status measure_kernel(bench_run *run, buffers *b, const kernel_row *kernel, pld_error *error) {
    static bench_samples samples;
    sample_kernel(run, b, kernel->run, &samples);
    bench_result result = bench_figures("kernels", &samples, "s");
    snprintf(result.name, sizeof result.name, "%s", kernel->name);
    snprintf(result.shape, sizeof result.shape, "[%d, %d]", TOKENS, CHANNELS);
    result.bytes = kernel->bytes * COUNT;
    return bench_add(run, &result, error);
}

pld_status bench_kernels(bench_run *run, pld_error *error) {
    buffers b;
    pld_status status =
        allocate(run, &b) ? PLD_OK : pld_fail_memory(error, sizeof(float) * 6 * COUNT, "bench");
    for (size_t i = 0; status == PLD_OK && i < KEY_COUNTS; i++) {
        status = measure_rows(run, &b, key_counts[i], error);
    }
    status = status == PLD_OK ? measure_products(run, &b, error) : status;
    status = status == PLD_OK ? bench_stored_weights(run, error) : status;
    for (size_t i = 0; status == PLD_OK && i < sizeof kernels / sizeof kernels[0]; i++) {
        if (bench_wanted(run, kernels[i].name)) {
            status = measure_kernel(run, &b, &kernels[i], error);
        }
    }
    release(&b);
    return status;
}
