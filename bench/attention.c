/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of real models' shapes: softmax and PLADIS in turn, the core (q, k, v to out) and, of
 * cross-attention, the layer (to_q, core, to_out, with keys and values given as in every step of a
 * generation). Joint attention and that of text encoders is the core alone. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/measure.h"
#include "core/memory.h"
#include "kernels/attention.h"
#include "kernels/matrix.h"

/** What else there may be about an attention. */
typedef struct attention_form {
    int64_t text, first_text; /* joint: keys on which PLADIS acts */
    int key_heads;
    bool causal, biased; /* a relative bias */
    int64_t window, zero_keys;
    float soft_cap;
} attention_form;

/** One shape of a real model; batch 1. */
typedef struct attention_shape {
    const char *name;
    bool cross; /* PLADIS is timed too, and the layer */
    int heads, head_size;
    int64_t queries, keys;
    attention_form form;
} attention_shape;

static const attention_shape shapes[] = {
    {"sd15 512 cross 64x64", true, 8, 40, 4096, 77, {0}},
    {"sd15 512 cross 32x32", true, 8, 80, 1024, 77, {0}},
    {"sd15 512 cross 16x16", true, 8, 160, 256, 77, {0}},
    {"sd15 512 cross 8x8", true, 8, 160, 64, 77, {0}},
    {"sd15 1024 cross 128x128", true, 8, 40, 16384, 77, {0}},
    {"sd15 1024 cross 64x64", true, 8, 80, 4096, 77, {0}},
    {"sd15 1024 cross 32x32", true, 8, 160, 1024, 77, {0}},
    {"sd21 512 cross 64x64", true, 5, 64, 4096, 77, {0}},
    {"sd21 512 cross 32x32", true, 10, 64, 1024, 77, {0}},
    {"sd21 512 cross 16x16", true, 20, 64, 256, 77, {0}},
    {"sd21 1024 cross 128x128", true, 5, 64, 16384, 77, {0}},
    {"sdxl 512 cross 32x32", true, 10, 64, 1024, 77, {0}},
    {"sdxl 512 cross 16x16", true, 20, 64, 256, 77, {0}},
    {"sdxl 1024 cross 64x64", true, 10, 64, 4096, 77, {0}},
    {"sdxl 1024 cross 32x32", true, 20, 64, 1024, 77, {0}},
    {"pixart 512 cross", true, 16, 72, 1024, 300, {0}},
    {"pixart 1024 cross", true, 16, 72, 4096, 300, {0}},
    {"sana 512 cross", true, 20, 112, 256, 300, {0}},
    {"sana 1024 cross", true, 20, 112, 1024, 300, {0}},
    {"sd15 256 self 32x32", false, 8, 40, 1024, 1024, {0}},
    {"sd15 512 self 64x64", false, 8, 40, 4096, 4096, {0}},
    {"sd15 512 self 32x32", false, 8, 80, 1024, 1024, {0}},
    {"sd15 1024 self 128x128", false, 8, 40, 16384, 16384, {0}},
    {"sdxl 1024 self 64x64", false, 10, 64, 4096, 4096, {0}},
    {"sdxl 1024 self 32x32", false, 20, 64, 1024, 1024, {0}},
    {"vae 512 self 64x64", false, 1, 512, 4096, 4096, {0}},
    {"anima 1024 cross", true, 16, 128, 4096, 120, {.zero_keys = 392}},
    {"flux 1024 joint", false, 24, 128, 4096, 4608, {.text = 512}},
    {"flux 512 joint", false, 24, 128, 1024, 1536, {.text = 512}},
    {"sd3 1024 joint", false, 24, 64, 4096, 4429, {.text = 333, .first_text = 4096}},
    {"t5 512 tokens", false, 64, 64, 512, 512, {.biased = true}},
    {"gemma-2 300 tokens", false, 8, 256, 300, 300, {.key_heads = 4, .causal = true, .soft_cap = 50}},
    {"gemma-2 4096 window", false, 8, 256, 4096, 4096, {.key_heads = 4, .causal = true, .window = 1024}},
    {"qwen3 512 tokens", false, 32, 128, 512, 512, {.key_heads = 8, .causal = true}},
};

/** What is run in turn on a shape; the first is the base of the ratios. */
static const struct {
    const char *name;
    pld_attention_rows rows;
    float lambda, alpha;
} rules[] = {
    {"softmax", PLD_ROWS_SOFTMAX, 0, 1.5F},   {"pladis 1.5", PLD_ROWS_PLADIS, 2, 1.5F},
    {"pladis 2", PLD_ROWS_PLADIS, 2, 2.0F},   {"pladis 1.25", PLD_ROWS_PLADIS, 2, 1.25F},
    {"pladis 1.7", PLD_ROWS_PLADIS, 2, 1.7F},
};
enum { RULES = sizeof rules / sizeof rules[0] };

/** Everything of one shape; width = heads · head_size. */
typedef struct layer {
    const attention_shape *shape;
    bool bf16;
    float *hidden, *query, *out, *result; /* [queries, width] */
    float *key, *value;                   /* [keys, width] */
    float *distances;                     /* [heads, 2 * keys - 1], a relative bias */
    float *bias;                          /* [width] */
    void *scratch;
    size_t scratch_size;
    pld_matrix projection;             /* to_q and to_out */
    void *to_q_weight, *to_out_weight; /* packed */
    bench_samples core[RULES], whole[RULES];
} layer;

static pld_attention_problem make_problem(const layer *l, int rule) {
    const attention_shape *shape = l->shape;
    pld_attention_problem problem;
    pld_attention_problem_init(&problem, sizeof problem);
    problem.heads = shape->heads;
    problem.head_size = shape->head_size;
    problem.query_count = shape->queries;
    problem.key_count = shape->keys;
    problem.query = l->query;
    problem.key = l->key;
    problem.value = l->value;
    problem.out = l->out;
    problem.query_head_stride = problem.key_head_stride = shape->head_size;
    problem.value_head_stride = problem.out_head_stride = shape->head_size;
    problem.query_token_stride = problem.key_token_stride = (int64_t)shape->heads * shape->head_size;
    problem.value_token_stride = problem.out_token_stride = problem.query_token_stride;
    problem.joint_text_keys = shape->form.text;
    problem.joint_first_text_key = shape->form.first_text;
    problem.causal = shape->form.causal;
    problem.window = shape->form.window;
    problem.zero_keys = shape->form.zero_keys;
    problem.soft_cap = shape->form.soft_cap;
    problem.bf16 = l->bf16;
    if (shape->form.key_heads) {
        problem.key_heads = shape->form.key_heads;
        problem.key_token_stride = problem.value_token_stride =
            (int64_t)shape->form.key_heads * shape->head_size;
    }
    if (shape->form.biased) {
        problem.bias = l->distances + shape->keys - 1;
        problem.bias_head_stride = 2 * shape->keys - 1;
        problem.bias_query_stride = -1;
    }
    problem.rows = rules[rule].rows;
    problem.lambda = rules[rule].lambda;
    problem.alpha = rules[rule].alpha;
    return problem;
}

static void free_layer(layer *l) {
    void *all[] = {l->hidden, l->query,   l->out,         l->result,        l->key,      l->value,
                   l->bias,   l->scratch, l->to_q_weight, l->to_out_weight, l->distances};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        pld_free(all[i]);
    }
    pld_free(l);
}

/** Weights [width, width] of a projection, random, packed. */
static pld_status make_product(const bench_run *run, const layer *l, void **packed, pld_error *error) {
    const pld_panels *shape = &l->projection.weights;
    const size_t count = (size_t)(shape->columns * shape->depth);
    float *plain = bench_numbers(count, 1.5F / sqrtf((float)shape->depth));
    *packed = pld_allocate_aligned(pld_panels_bytes(run->kernels, shape), 1);
    for (int64_t panel = 0; plain && *packed && panel < pld_panel_count(run->kernels, shape); panel++) {
        pld_panels_pack(run->kernels, shape,
                        plain + pld_panel_first(run->kernels, shape, panel) * shape->depth, panel, *packed);
    }
    const bool done = plain && *packed;
    pld_free(plain);
    return done ? PLD_OK : pld_fail_memory(error, count * sizeof *plain, l->shape->name);
}

static void project(const bench_run *run, const layer *l, const float *left, const void *packed,
                    const float *bias, float *out) {
    pld_matrix_run(run->kernels, &l->projection, run->threads,
                   &(pld_matrix_operands){
                       .left = left, .packed = packed, .bias = bias, .out = out, .scratch = l->scratch});
}

static pld_status fill_layer(const bench_run *run, layer *l, pld_error *error) {
    const attention_shape *shape = l->shape;
    const size_t width = (size_t)shape->heads * (size_t)shape->head_size;
    const size_t queries = (size_t)shape->queries * width, keys = (size_t)shape->keys * width;
    l->hidden = bench_numbers(queries, 1);
    l->query = bench_numbers(queries, 1.5F); /* logits of standard deviation 2.2, as trained */
    l->out = bench_numbers(queries, 1);
    l->result = bench_numbers(queries, 1);
    l->key = bench_numbers(keys, 1.5F);
    l->value = bench_numbers(keys, 1);
    l->bias = bench_numbers(width, 1);
    l->distances = bench_numbers((size_t)shape->heads * (size_t)(2 * shape->keys - 1), 2);
    l->bf16 = run->type == PLD_PRODUCT_BF16 && shape->form.text > 0;
    for (int rule = 0; rule < RULES; rule++) {
        const pld_attention_problem problem = make_problem(l, rule);
        const size_t size = pld_attention_scratch_size_with(run->kernels, &problem, run->threads);
        l->scratch_size = size > l->scratch_size ? size : l->scratch_size;
    }
    l->projection = (pld_matrix){.weights = {PLD_PANEL_F32, (int64_t)width, (int64_t)width, 1, false},
                                 .rows = shape->queries};
    const size_t room = pld_matrix_scratch(run->kernels, &l->projection, run->threads);
    l->scratch_size = room > l->scratch_size ? room : l->scratch_size;
    l->scratch = pld_allocate_aligned(l->scratch_size, 1);
    if (!l->hidden || !l->query || !l->out || !l->result || !l->key || !l->value || !l->bias || !l->scratch ||
        !l->distances) {
        return pld_fail_memory(error, (4 * queries + 2 * keys) * sizeof(float), shape->name);
    }
    if (!shape->cross) {
        return PLD_OK;
    }
    PLD_TRY(make_product(run, l, &l->to_q_weight, error));
    return make_product(run, l, &l->to_out_weight, error);
}

/** One layer under one rule, both times noted unless this is the warm-up. */
static pld_status run_once(const bench_run *run, layer *l, int rule, bool note, pld_error *error) {
    const pld_attention_problem problem = make_problem(l, rule);
    const pld_attention_parallel parallel = {.threads = run->threads};
    const double begin = bench_now(run->threads);
    if (l->shape->cross) {
        project(run, l, l->hidden, l->to_q_weight, NULL, l->query);
    }
    const double start = bench_now(run->threads);
    PLD_TRY(pld_attention_with(run->kernels, &problem, l->scratch, l->scratch_size, &parallel, error));
    const double stop = bench_now(run->threads);
    if (l->shape->cross) {
        project(run, l, l->out, l->to_out_weight, l->bias, l->result);
    }
    if (note) {
        bench_add_sample(&l->core[rule], stop - start);
        bench_add_sample(&l->whole[rule], bench_now(run->threads) - begin);
    }
    return PLD_OK;
}

/** Pairs of a query and a key that it sees. */
static double seen_keys(const attention_shape *shape) {
    const double queries = (double)shape->queries, keys = (double)shape->keys;
    const double window = shape->form.window ? (double)shape->form.window : keys;
    return shape->form.causal ? queries * window - window * (window - 1) / 2 : queries * keys;
}

static pld_status add_result(bench_run *run, const layer *l, int rule, bool core, pld_error *error) {
    const attention_shape *shape = l->shape;
    const bench_samples *samples = core ? l->core : l->whole;
    const double queries = (double)shape->queries, width = (double)shape->heads * shape->head_size;
    bench_result result = bench_figures("attention", &samples[rule], "s");
    snprintf(result.name, sizeof result.name, "%s, %s, %s", shape->name, rules[rule].name,
             core ? "core" : "layer");
    snprintf(result.shape, sizeof result.shape, "%d heads of %d, %d queries, %d keys", shape->heads,
             shape->head_size, (int)shape->queries, (int)shape->keys);
    snprintf(result.implementation, sizeof result.implementation, "%s", l->bf16 ? "bf16" : "f32");
    /* the matmul work alone: the two products, and the two projections of a layer */
    result.operations = 4 * width * seen_keys(shape) + (core ? 0 : 4 * width * width * queries);
    if (rule > 0) {
        result.ratio = bench_ratio(&samples[rule], &samples[0]);
        snprintf(result.ratio_to, sizeof result.ratio_to, "%s", rules[0].name);
    }
    return bench_add(run, &result, error);
}

static pld_status measure_layer(bench_run *run, layer *l, pld_error *error) {
    const int used = l->shape->cross || l->shape->form.text ? RULES : 1;
    PLD_TRY(fill_layer(run, l, error));
    const double start = bench_now(run->threads);
    for (int rule = 0; rule < used; rule++) {
        PLD_TRY(run_once(run, l, rule, false, error));
    }
    const int rounds = bench_repeats(run, (bench_now(run->threads) - start) / 4, 3);
    for (int round = 0; round < rounds; round++) {
        PLD_TRY(bench_check_cancel(run, error));
        for (int rule = 0; rule < used; rule++) {
            PLD_TRY(run_once(run, l, rule, true, error));
        }
    }
    for (int rule = 0; rule < used; rule++) {
        PLD_TRY(add_result(run, l, rule, true, error));
        if (l->shape->cross) {
            PLD_TRY(add_result(run, l, rule, false, error));
        }
    }
    return PLD_OK;
}

pld_status bench_attention(bench_run *run, pld_error *error) {
    pld_status status = PLD_OK;
    for (size_t i = 0; status == PLD_OK && i < sizeof shapes / sizeof shapes[0]; i++) {
        if (!bench_wanted(run, shapes[i].name)) {
            continue;
        }
        layer *l = pld_allocate(1, sizeof *l);
        if (!l) {
            status = pld_fail_memory(error, sizeof *l, "bench");
            break;
        }
        l->shape = &shapes[i];
        status = measure_layer(run, l, error);
        free_layer(l);
    }
    return status;
}
