/* SPDX-License-Identifier: Apache-2.0 */
/* The public attention: checks, split into tiles, parallel loop. The numbers are the kernels' matter. */
#include "kernels/attention.h"

#include <math.h>
#include <string.h>

#include "core/parallel.h"
#include "core/sized.h"
#include "core/status.h"
#include "kernels/attention_strides.h"
#include "kernels/cuts.h"

enum { PLD_MAX_HEAD_SIZE = 4096, PLD_SCRATCH_ALIGNMENT = 64 };

static const pld_attention_problem defaults = {
    .batch = 1,
    .heads = 1,
    .rows = PLD_ROWS_SOFTMAX,
    .lambda = 2.0F,
    .alpha = 1.5F,
    .temperature = 1.0F,
};
static const pld_attention_parallel parallel_defaults = {.threads = 1};

void pld_attention_problem_init(pld_attention_problem *problem, size_t struct_size) {
    pld_sized_init(problem, struct_size, &defaults, sizeof defaults);
}

void pld_attention_parallel_init(pld_attention_parallel *parallel, size_t struct_size) {
    pld_sized_init(parallel, struct_size, &parallel_defaults, sizeof parallel_defaults);
}

/** PLADIS with an effect, not merely asked for. */
static bool is_sparse(const pld_attention_problem *problem) {
    return problem->rows == PLD_ROWS_PLADIS && problem->lambda != 0;
}

static int64_t sparse_keys(const pld_attention_problem *problem) {
    int64_t text = problem->joint_text_keys;
    return !is_sparse(problem) ? 0 : text ? text : problem->key_count;
}

static pld_status check_alpha(float lambda, float alpha, pld_error *error) {
    if (!isfinite(lambda)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: lambda must be finite, found %g",
                        (double)lambda);
    }
    if (lambda != 0 && !(alpha >= 1.001F && alpha <= 2.0F)) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "attention: alpha must be in [1.001, 2], found %g; lambda = 0 gives softmax (alpha = 1)",
            (double)alpha);
    }
    return PLD_OK;
}

/** Everything but the pointers. */
static pld_status check_sizes(const pld_attention_problem *problem, pld_error *error) {
    if (problem->batch < 1 || problem->heads < 1 || problem->query_count < 1 || problem->key_count < 1 ||
        problem->query_count > INT32_MAX || problem->key_count > INT32_MAX) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "attention: batch %d, heads %d, query_count %lld and key_count %lld must be 1 … 2^31−1",
            problem->batch, problem->heads, (long long)problem->query_count, (long long)problem->key_count);
    }
    if (problem->head_size < 1 || problem->head_size > PLD_MAX_HEAD_SIZE) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: head_size must be 1 … %d, found %d",
                        PLD_MAX_HEAD_SIZE, problem->head_size);
    }
    if (problem->joint_text_keys < 0 || problem->joint_text_keys > problem->key_count ||
        problem->joint_first_image_query < 0 || problem->joint_first_image_query > problem->query_count) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "attention: joint_text_keys %lld (of %lld keys) or joint_first_image_query %lld (of %lld "
            "queries) is out of range",
            (long long)problem->joint_text_keys, (long long)problem->key_count,
            (long long)problem->joint_first_image_query, (long long)problem->query_count);
    }
    const bool dense = problem->rows == PLD_ROWS_SOFTMAX || problem->rows == PLD_ROWS_TEMPERED;
    if (problem->causal && (!dense || problem->query_count != problem->key_count)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: causal needs softmax or tempered rows and as many queries as keys, found "
                        "rows %d, %lld queries and %lld keys",
                        (int)problem->rows, (long long)problem->query_count, (long long)problem->key_count);
    }
    switch (problem->rows) {
    case PLD_ROWS_SOFTMAX:
        return PLD_OK;
    case PLD_ROWS_PLADIS:
        return check_alpha(problem->lambda, problem->alpha, error);
    case PLD_ROWS_IDENTITY:
        if (problem->query_count != problem->key_count || problem->key_mask) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "attention: identity rows need as many queries as keys and no mask, found %lld and "
                "%lld%s",
                (long long)problem->query_count, (long long)problem->key_count,
                problem->key_mask ? " with a mask" : "");
        }
        return PLD_OK;
    case PLD_ROWS_TEMPERED:
        if (!(problem->temperature > 0 && isfinite(problem->temperature))) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: temperature must be positive, found %g",
                            (double)problem->temperature);
        }
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: rows has no kind %d", (int)problem->rows);
}

/** All rows are softmax with bfloat16 products. */
static bool is_bf16(const pld_attention_problem *problem) {
    return problem->bf16 && !problem->causal && !is_sparse(problem) && problem->rows != PLD_ROWS_IDENTITY;
}

/** Floats of scratch for one thread, a whole number of cache lines. */
static size_t floats_per_thread(const pld_kernels *kernels, const pld_attention_problem *problem) {
    size_t floats = is_bf16(problem) ? kernels->attention_bf16_scratch(problem->head_size)
                                     : kernels->attention_scratch(sparse_keys(problem), problem->head_size);
    if (problem->joint_first_image_query > 0) { /* its text rows are dense */
        size_t dense = kernels->attention_scratch(0, problem->head_size);
        floats = floats > dense ? floats : dense;
    }
    return (size_t)pld_whole_lines((int64_t)floats);
}

size_t pld_attention_scratch_size_with(const pld_kernels *kernels, const pld_attention_problem *problem,
                                       int threads) {
    if (threads < 1 || check_sizes(problem, NULL) != PLD_OK) {
        return 0;
    }
    return PLD_SCRATCH_ALIGNMENT + (size_t)threads * floats_per_thread(kernels, problem) * sizeof(float);
}

/** Rows of queries that share a rule, cut into tiles of `tile_queries`. */
typedef struct query_span {
    int64_t begin, end, tile_queries, tiles, sparse_keys;
} query_span;

typedef struct attention_run {
    const pld_kernels *kernels;
    const pld_attention_problem *problem;
    query_span spans[2]; /* before and from joint_first_image_query on */
    int threads;
    float scale;
    float *scratch;
    size_t scratch_floats; /* of one thread */
} attention_run;

/** Tiles of nearly equal size, as large as they may be while each thread has PLD_LEAST_ITEMS of them. */
static query_span make_span(const attention_run *run, int64_t begin, int64_t end, int64_t sparse) {
    const pld_attention_problem *problem = run->problem;
    const int64_t block = run->kernels->attention_query_block();
    const int64_t most = is_bf16(problem) ? run->kernels->attention_bf16_queries(problem->head_size)
                                          : run->kernels->attention_queries(sparse, problem->head_size);
    const int64_t blocks = pld_larger(1, pld_parts(end - begin, block)); /* a span may be empty */
    const int64_t tiles =
        pld_parts((int64_t)run->threads * PLD_LEAST_ITEMS, (int64_t)problem->batch * problem->heads);
    const int64_t tile_blocks = pld_even_piece(blocks, pld_smaller(most / block, pld_parts(blocks, tiles)));
    const int64_t tile_queries = tile_blocks * block;
    return (query_span){begin, end, tile_queries, pld_parts(end - begin, tile_queries), sparse};
}

static void copy_identity(const pld_attention_tile *tile, int64_t first) {
    for (int64_t i = 0; i < tile->queries; i++) {
        memcpy(tile->out + i * tile->out_stride, tile->value + (first + i) * tile->value_stride,
               (size_t)tile->head_size * sizeof(float));
    }
}

/** Tile `item` of [batch, heads, tiles of span 0 then span 1]: neighbours share keys and values. */
static void run_item(const attention_run *run, int64_t item, float *scratch) {
    const pld_attention_problem *problem = run->problem;
    int64_t tiles = run->spans[0].tiles + run->spans[1].tiles;
    int64_t head = item / tiles % problem->heads;
    int64_t batch = item / tiles / problem->heads;
    int64_t number = item % tiles;
    const query_span *span = &run->spans[0];
    if (number >= span->tiles) {
        number -= span->tiles;
        span++;
    }
    int64_t first = span->begin + number * span->tile_queries;
    int64_t count = span->end - first < span->tile_queries ? span->end - first : span->tile_queries;
    pld_attention_tile tile = {
        .query = problem->query + batch * problem->query_batch_stride + head * problem->query_head_stride +
                 first * problem->query_token_stride,
        .key = problem->key + batch * problem->key_batch_stride + head * problem->key_head_stride,
        .value = problem->value + batch * problem->value_batch_stride + head * problem->value_head_stride,
        .out = problem->out + batch * problem->out_batch_stride + head * problem->out_head_stride +
               first * problem->out_token_stride,
        .query_stride = problem->query_token_stride,
        .key_stride = problem->key_token_stride,
        .value_stride = problem->value_token_stride,
        .out_stride = problem->out_token_stride,
        .key_mask = problem->key_mask ? problem->key_mask + batch * problem->key_mask_batch_stride : NULL,
        .queries = count,
        .keys = problem->causal ? first + count : problem->key_count,
        .causal = problem->causal,
        .first_query = first,
        .sparse_keys = span->sparse_keys,
        .head_size = problem->head_size,
        .scale = run->scale,
        .lambda = problem->lambda,
        .alpha = problem->alpha,
    };
    if (problem->rows == PLD_ROWS_IDENTITY) {
        copy_identity(&tile, first);
    } else if (is_bf16(problem)) {
        run->kernels->attention_bf16_tile(&tile, scratch);
    } else {
        run->kernels->attention_tile(&tile, scratch);
    }
}

static void run_items(void *context, size_t begin, size_t end, int thread) {
    const attention_run *run = context;
    for (size_t item = begin; item < end; item++) {
        run_item(run, (int64_t)item, run->scratch + (size_t)thread * run->scratch_floats);
    }
}

pld_status pld_attention_with(const pld_kernels *kernels, const pld_attention_problem *given, void *scratch,
                              size_t scratch_size, const pld_attention_parallel *parallel, pld_error *error) {
    pld_attention_problem plain;
    const pld_attention_problem *problem = given;
    PLD_TRY(check_sizes(problem, error));
    int threads = parallel ? parallel->threads : 1;
    size_t needed = pld_attention_scratch_size_with(kernels, problem, threads);
    bool identity = problem->rows == PLD_ROWS_IDENTITY;
    const char *missing = !identity && !problem->query ? "query"
                          : !identity && !problem->key ? "key"
                          : !problem->value            ? "value"
                          : !problem->out              ? "out"
                          : !scratch                   ? "scratch"
                                                       : NULL;
    if (missing) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "attention: %s is NULL, expected an array", missing);
    }
    if (threads < 1 || scratch_size < needed) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: %d threads need %zu bytes of scratch, found %zu", threads, needed,
                        scratch_size);
    }
    PLD_TRY(pld_attention_check_strides(given, &plain, error));
    problem = &plain;
    float scale = problem->scale != 0 ? problem->scale : (float)(1 / sqrt((double)problem->head_size));
    if (problem->rows == PLD_ROWS_TEMPERED) {
        scale /= problem->temperature;
    }
    uintptr_t aligned =
        ((uintptr_t)scratch + PLD_SCRATCH_ALIGNMENT - 1) & ~(uintptr_t)(PLD_SCRATCH_ALIGNMENT - 1);
    attention_run run = {
        .kernels = kernels,
        .problem = problem,
        .threads = threads,
        .scale = scale,
        .scratch = (float *)aligned,
        .scratch_floats = floats_per_thread(kernels, problem),
    };
    int64_t border = is_sparse(problem) ? problem->joint_first_image_query : 0;
    run.spans[0] = make_span(&run, 0, border, 0);
    run.spans[1] = make_span(&run, border, problem->query_count, sparse_keys(problem));
    size_t items =
        (size_t)problem->batch * (size_t)problem->heads * (size_t)(run.spans[0].tiles + run.spans[1].tiles);
    if (parallel && parallel->parallel_for) {
        parallel->parallel_for(parallel->user, items, run_items, &run);
    } else {
        pld_parallel_for(threads, items, run_items, &run);
    }
    return PLD_OK;
}

size_t pld_attention_scratch_size(const pld_attention_problem *given, int threads) {
    pld_attention_problem problem;
    return PLD_SIZED_READ(pld_attention_problem, given, &defaults, &problem, NULL) == PLD_OK
               ? pld_attention_scratch_size_with(pld_kernels_get(PLD_ISA_BEST), &problem, threads)
               : 0;
}

pld_status pld_attention(const pld_attention_problem *given, void *scratch, size_t scratch_size,
                         const pld_attention_parallel *given_parallel, pld_error *error) {
    pld_attention_problem problem;
    pld_attention_parallel parallel;
    PLD_TRY(PLD_SIZED_READ(pld_attention_problem, given, &defaults, &problem, error));
    PLD_TRY(PLD_SIZED_READ(pld_attention_parallel, given_parallel, &parallel_defaults, &parallel, error));
    return pld_attention_with(pld_kernels_get(PLD_ISA_BEST), &problem, scratch, scratch_size, &parallel,
                              error);
}

size_t pld_rows_scratch_size(int64_t keys) {
    size_t floats = keys < 1 ? 0 : pld_kernels_get(PLD_ISA_BEST)->rows_scratch(keys);
    return PLD_SCRATCH_ALIGNMENT + floats * sizeof(float);
}

pld_status pld_pladis_rows(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                           int64_t mask_stride, float lambda, float alpha, float *weights, void *scratch,
                           size_t scratch_size, pld_error *error) {
    PLD_TRY(check_alpha(lambda, alpha, error));
    if (rows < 0 || keys < 1 || keys > INT32_MAX || !logits || !weights || !scratch) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "attention rows: [%lld, %lld] is out of range, or logits, weights or scratch is missing",
            (long long)rows, (long long)keys);
    }
    if (mask && mask_stride != 0 && mask_stride < keys) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention rows: mask_stride is %lld, expected at least %lld keys, or 0 for one row "
                        "shared by all",
                        (long long)mask_stride, (long long)keys);
    }
    if (scratch_size < pld_rows_scratch_size(keys)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "attention rows: %zu bytes of scratch needed, found %zu",
                        pld_rows_scratch_size(keys), scratch_size);
    }
    uintptr_t aligned =
        ((uintptr_t)scratch + PLD_SCRATCH_ALIGNMENT - 1) & ~(uintptr_t)(PLD_SCRATCH_ALIGNMENT - 1);
    pld_kernels_get(PLD_ISA_BEST)
        ->attention_rows(logits, rows, keys, mask, mask_stride, lambda, alpha, weights, (float *)aligned);
    return PLD_OK;
}

pld_status pld_entmax_rows(const float *logits, int64_t rows, int64_t keys, const uint8_t *mask,
                           int64_t mask_stride, float alpha, float *weights, void *scratch,
                           size_t scratch_size, pld_error *error) {
    return pld_pladis_rows(logits, rows, keys, mask, mask_stride, 1.0F, alpha, weights, scratch, scratch_size,
                           error);
}
