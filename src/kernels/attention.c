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

/** The rows of images are those of a joint attention. */
static bool is_joint(const pld_attention_problem *problem) {
    return is_sparse(problem) && problem->joint_text_keys > 0;
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

/** [first, first + count) lies within [0, all). */
static bool is_range(int64_t first, int64_t count, int64_t all) {
    return first >= 0 && first <= all && count >= 0 && count <= all - first;
}

static pld_status check_joint(const pld_attention_problem *problem, pld_error *error) {
    if (is_range(problem->joint_first_text_key, problem->joint_text_keys, problem->key_count) &&
        is_range(problem->joint_first_image_query, problem->joint_image_queries, problem->query_count)) {
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT,
                    "attention: %lld joint_text_keys from %lld on (of %lld keys) or %lld joint_image_queries "
                    "from %lld on (of %lld queries) are out of range",
                    (long long)problem->joint_text_keys, (long long)problem->joint_first_text_key,
                    (long long)problem->key_count, (long long)problem->joint_image_queries,
                    (long long)problem->joint_first_image_query, (long long)problem->query_count);
}

/** What makes logits of products. */
static pld_status check_logits(const pld_attention_problem *problem, pld_error *error) {
    if (problem->key_heads < 0 || (problem->key_heads > 0 && problem->heads % problem->key_heads != 0)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: key_heads must divide the %d heads, found %d; 0 means as many",
                        problem->heads, problem->key_heads);
    }
    if (!isfinite(problem->soft_cap) || problem->soft_cap < 0) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: soft_cap must be positive, or 0 for none, found %g",
                        (double)problem->soft_cap);
    }
    if (problem->zero_keys < 0 || problem->zero_keys > INT32_MAX ||
        (problem->zero_keys > 0 && (problem->causal || problem->rows == PLD_ROWS_IDENTITY))) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: zero_keys must be 0 … 2^31−1, and 0 where it is causal or rows are the "
                        "identity, found %lld",
                        (long long)problem->zero_keys);
    }
    return PLD_OK;
}

/** Which keys a query sees by its place. */
static pld_status check_order(const pld_attention_problem *problem, pld_error *error) {
    const bool dense = problem->rows == PLD_ROWS_SOFTMAX || problem->rows == PLD_ROWS_TEMPERED;
    if (problem->causal && (!dense || problem->query_count < problem->key_count ||
                            (problem->window > 0 && problem->query_count > problem->key_count))) {
        return pld_fail(
            error, PLD_ERROR_ARGUMENT,
            "attention: causal needs softmax or tempered rows and as many queries as keys, or more "
            "without a window, found rows %d, %lld queries and %lld keys",
            (int)problem->rows, (long long)problem->query_count, (long long)problem->key_count);
    }
    if (problem->window < 0 || (problem->window > 0 && !problem->causal)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention: window must be 0 or, with causal, the number of keys seen, found %lld%s",
                        (long long)problem->window, problem->causal ? "" : " without causal");
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
    PLD_TRY(check_joint(problem, error));
    PLD_TRY(check_logits(problem, error));
    PLD_TRY(check_order(problem, error));
    switch (problem->rows) {
    case PLD_ROWS_SOFTMAX:
        return PLD_OK;
    case PLD_ROWS_PLADIS:
        return check_alpha(problem->lambda, problem->alpha, error);
    case PLD_ROWS_IDENTITY:
        if (problem->query_count != problem->key_count || problem->key_mask || problem->bias) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "attention: identity rows need as many queries as keys and neither mask nor bias, found %lld "
                "and %lld%s",
                (long long)problem->query_count, (long long)problem->key_count,
                problem->key_mask ? " with a mask"
                : problem->bias   ? " with a bias"
                                  : "");
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

/** Products are of bfloat16. Where PLADIS acts on all keys they are few, and it would magnify the errors. */
static bool is_bf16(const pld_attention_problem *problem) {
    const bool joint = is_joint(problem) && problem->joint_text_keys < problem->key_count;
    return problem->bf16 && !problem->causal && problem->rows != PLD_ROWS_IDENTITY &&
           (joint || !is_sparse(problem));
}

/** What is computed of the rows on which PLADIS acts, or of the others. */
static pld_attention_shape shape_of(const pld_attention_problem *problem, bool sparse) {
    const int64_t keys = !sparse ? 0 : is_joint(problem) ? problem->joint_text_keys : problem->key_count;
    return (pld_attention_shape){problem->head_size, problem->key_count - keys, keys, problem->zero_keys};
}

/** Queries [*begin, *end) are those on which PLADIS acts. */
static void find_sparse_queries(const pld_attention_problem *problem, int64_t *begin, int64_t *end) {
    const int64_t count = problem->joint_image_queries;
    *begin = is_sparse(problem) ? problem->joint_first_image_query : 0;
    *end = !is_sparse(problem) ? 0 : count > 0 ? *begin + count : problem->query_count;
}

/** Floats of scratch for one thread, a whole number of cache lines. */
static size_t floats_per_thread(const pld_kernels *kernels, const pld_attention_problem *problem) {
    size_t (*scratch)(const pld_attention_shape *) =
        is_bf16(problem) ? kernels->attention_bf16_scratch : kernels->attention_scratch;
    int64_t begin, end;
    size_t floats = 0;
    find_sparse_queries(problem, &begin, &end);
    for (int sparse = 0; sparse < 2; sparse++) {
        const pld_attention_shape shape = shape_of(problem, sparse);
        const bool some = sparse ? begin < end : begin > 0 || end < problem->query_count;
        const size_t own = some ? scratch(&shape) : 0;
        floats = own > floats ? own : floats;
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
    int64_t begin, end, tile_queries, tiles;
    bool sparse;
} query_span;

enum { SPANS = 3 }; /* before, of and after the rows on which PLADIS acts */

typedef struct attention_run {
    const pld_kernels *kernels;
    const pld_attention_problem *problem;
    query_span spans[SPANS];
    int64_t tiles; /* of all spans */
    int threads;
    float temperature, scale;
    float *scratch;
    size_t scratch_floats; /* of one thread */
} attention_run;

/** Tiles of nearly equal size, as large as they may be while each thread has PLD_LEAST_ITEMS of them. */
static query_span make_span(const attention_run *run, int64_t begin, int64_t end, bool sparse) {
    const pld_attention_problem *problem = run->problem;
    const pld_attention_shape shape = shape_of(problem, sparse);
    const int64_t block = run->kernels->attention_query_block();
    const int64_t most = is_bf16(problem) ? run->kernels->attention_bf16_queries(&shape)
                                          : run->kernels->attention_queries(&shape);
    const int64_t blocks = pld_larger(1, pld_parts(end - begin, block)); /* a span may be empty */
    const int64_t tiles =
        pld_parts((int64_t)run->threads * PLD_LEAST_ITEMS, (int64_t)problem->batch * problem->heads);
    const int64_t tile_blocks = pld_even_piece(blocks, pld_smaller(most / block, pld_parts(blocks, tiles)));
    const int64_t tile_queries = tile_blocks * block;
    return (query_span){begin, end, tile_queries, pld_parts(end - begin, tile_queries), sparse};
}

static void make_spans(attention_run *run) {
    int64_t begin, end;
    find_sparse_queries(run->problem, &begin, &end);
    run->spans[0] = make_span(run, 0, begin, false);
    run->spans[1] = make_span(run, begin, end, true);
    run->spans[2] = make_span(run, end, run->problem->query_count, false);
    for (int i = 0; i < SPANS; i++) {
        run->tiles += run->spans[i].tiles;
    }
}

static void copy_identity(const pld_attention_tile *tile, int64_t first) {
    for (int64_t i = 0; i < tile->queries; i++) {
        memcpy(tile->out + i * tile->out_stride, tile->value + (first + i) * tile->value_stride,
               (size_t)tile->head_size * sizeof(float));
    }
}

/** The attention of batch row `batch` and head `head`, before it is cut into tiles. */
static pld_attention_tile head_tile(const attention_run *run, int64_t batch, int64_t head) {
    const pld_attention_problem *p = run->problem;
    const int64_t key_head = p->key_heads ? head / (p->heads / p->key_heads) : head;
    return (pld_attention_tile){
        .query = p->query + batch * p->query_batch_stride + head * p->query_head_stride,
        .key = p->key + batch * p->key_batch_stride + key_head * p->key_head_stride,
        .value = p->value + batch * p->value_batch_stride + key_head * p->value_head_stride,
        .out = p->out + batch * p->out_batch_stride + head * p->out_head_stride,
        .query_stride = p->query_token_stride,
        .key_stride = p->key_token_stride,
        .value_stride = p->value_token_stride,
        .out_stride = p->out_token_stride,
        .key_mask = p->key_mask ? p->key_mask + batch * p->key_mask_batch_stride : NULL,
        .bias = p->bias ? p->bias + batch * p->bias_batch_stride + head * p->bias_head_stride : NULL,
        .bias_stride = p->bias_query_stride,
        .bias_factor = 1 / run->temperature,
        .keys = p->key_count,
        .zero_keys = p->zero_keys,
        .head_size = p->head_size,
        .scale = run->scale,
        .soft_cap = p->soft_cap / run->temperature,
        .lambda = p->lambda,
        .alpha = p->alpha,
        .causal = p->causal,
        .window = p->window,
    };
}

/** Cut the rows [first, first + count) out of a head's. */
static void cut_rows(const attention_run *run, bool sparse, int64_t first, int64_t count,
                     pld_attention_tile *tile) {
    const pld_attention_problem *problem = run->problem;
    tile->query += first * tile->query_stride;
    tile->out += first * tile->out_stride;
    tile->bias = tile->bias ? tile->bias + first * tile->bias_stride : NULL;
    tile->queries = count;
    tile->first_query = first;
    tile->keys = problem->causal ? pld_smaller(first + count, tile->keys) : tile->keys;
    tile->sparse_keys = shape_of(problem, sparse).sparse_keys;
    tile->sparse_first = sparse && is_joint(problem) ? problem->joint_first_text_key : 0;
}

/** Tile `item` of [batch, heads, tiles of all spans]: neighbours share keys and values. */
static void run_item(const attention_run *run, int64_t item, float *scratch) {
    const pld_attention_problem *problem = run->problem;
    const int64_t head = item / run->tiles;
    int64_t number = item % run->tiles;
    const query_span *span = run->spans;
    for (; number >= span->tiles; span++) {
        number -= span->tiles;
    }
    const int64_t first = span->begin + number * span->tile_queries;
    pld_attention_tile tile = head_tile(run, head / problem->heads, head % problem->heads);
    cut_rows(run, span->sparse, first, pld_smaller(span->end - first, span->tile_queries), &tile);
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
    const float temperature = problem->rows == PLD_ROWS_TEMPERED ? problem->temperature : 1;
    const float scale = problem->scale != 0 ? problem->scale : (float)(1 / sqrt((double)problem->head_size));
    uintptr_t aligned =
        ((uintptr_t)scratch + PLD_SCRATCH_ALIGNMENT - 1) & ~(uintptr_t)(PLD_SCRATCH_ALIGNMENT - 1);
    attention_run run = {
        .kernels = kernels,
        .problem = problem,
        .threads = threads,
        .temperature = temperature,
        .scale = scale / temperature,
        .scratch = (float *)aligned,
        .scratch_floats = floats_per_thread(kernels, problem),
    };
    make_spans(&run);
    const size_t items = (size_t)problem->batch * (size_t)problem->heads * (size_t)run.tiles;
    if (parallel && parallel->parallel_for) {
        parallel->parallel_for(parallel->user, items, run_items, &run);
    } else if (parallel && parallel->loop) {
        parallel->loop(parallel->user, threads, items, run_items, &run);
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
