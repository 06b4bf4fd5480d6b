/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of attention whatever the numbers are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checkasm.h"
#include "problem.h"

pld_attention_problem make_problem(int batch, int heads, int head_size, int64_t queries, int64_t keys) {
    int64_t gap = 3; /* floats between tokens: rows are not aligned */
    int64_t token = (int64_t)heads * head_size + gap;
    pld_attention_problem problem;
    pld_attention_problem_init(&problem, sizeof problem);
    problem.batch = batch;
    problem.heads = heads;
    problem.head_size = head_size;
    problem.query_count = queries;
    problem.key_count = keys;
    size_t query_floats = (size_t)(batch * queries * token - gap),
           key_floats = (size_t)(batch * keys * token - gap);
    float *query = check_floats(query_floats), *key = check_floats(key_floats),
          *value = check_floats(key_floats);
    check_fill(query, query_floats, -2.5, 2.5);
    check_fill(key, key_floats, -2.5, 2.5);
    check_fill(value, key_floats, -1, 1);
    problem.query = query;
    problem.key = key;
    problem.value = value;
    problem.query_batch_stride = queries * token;
    problem.key_batch_stride = problem.value_batch_stride = keys * token;
    problem.query_token_stride = problem.key_token_stride = problem.value_token_stride = token;
    problem.query_head_stride = problem.key_head_stride = problem.value_head_stride = head_size;
    problem.out_head_stride = head_size;
    problem.out_token_stride = (int64_t)heads * head_size;
    problem.out_batch_stride = queries * problem.out_token_stride;
    return problem;
}

void mask_problem(pld_attention_problem *problem, int seed) {
    size_t count = (size_t)(problem->batch * problem->key_count);
    uint8_t *mask = check_bytes(count);
    for (size_t i = 0; i < count; i++) {
        bool last = i / (size_t)problem->key_count == (size_t)problem->batch - 1;
        mask[i] = last && seed % 3 == 0 ? 0 : check_random(0, 3) > 1;
    }
    problem->key_mask = mask;
    problem->key_mask_batch_stride = problem->key_count;
}

void group_problem(pld_attention_problem *problem, int key_heads) {
    const int64_t token = (int64_t)key_heads * problem->head_size + 5;
    const size_t count = (size_t)(problem->batch * problem->key_count * token - 5);
    float *key = check_floats(count), *value = check_floats(count);
    check_fill(key, count, -2.5, 2.5);
    check_fill(value, count, -1, 1);
    problem->key_heads = key_heads;
    problem->key = key;
    problem->value = value;
    problem->key_token_stride = problem->value_token_stride = token;
    problem->key_batch_stride = problem->value_batch_stride = problem->key_count * token;
}

void bias_problem(pld_attention_problem *problem) {
    const int64_t row = problem->key_count + 1, head = problem->query_count * row + 2;
    const size_t count = (size_t)(problem->batch * problem->heads * head - 3); /* up to the last key's own */
    float *bias = check_floats(count);
    check_fill(bias, count, -3, 3);
    problem->bias = bias;
    problem->bias_query_stride = row;
    problem->bias_head_stride = head;
    problem->bias_batch_stride = problem->heads * head;
}

size_t problem_count(const pld_attention_problem *problem) {
    return (size_t)(problem->batch * problem->query_count * problem->out_token_stride);
}

void problem_run(const pld_kernels *kernels, const pld_attention_problem *problem, int threads, float *out) {
    pld_attention_problem run = *problem;
    run.out = out;
    size_t size = pld_attention_scratch_size_with(kernels, &run, threads);
    void *scratch = check_bytes(size);
    pld_error error = {0};
    pld_attention_parallel parallel = {.threads = threads};
    if (pld_attention_with(kernels, &run, scratch, size, &parallel, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
}

void check_attention_properties(const pld_kernels *kernels) {
    pld_attention_problem problem = make_problem(1, 2, 40, 50, 77);
    size_t count = problem_count(&problem);
    float *dense = check_floats(count), *out = check_floats(count);
    problem_run(kernels, &problem, 1, dense);
    problem.rows = PLD_ROWS_PLADIS;
    problem.lambda = 0;
    problem_run(kernels, &problem, 1, out);
    check_same("lambda 0 is the softmax path", out, dense, count * sizeof(float));

    problem.lambda = 2;
    problem_run(kernels, &problem, 1, dense);
    float *value = (float *)problem.value;
    for (size_t i = 0; i < (size_t)(77 * problem.value_token_stride - 3); i++) {
        value[i] *= 4; /* a power of two: exact */
    }
    problem_run(kernels, &problem, 1, out);
    for (size_t i = 0; i < count; i++) {
        assert_true(out[i] == 4 * dense[i]);
    }
    /* Equal values: the weights sum to one, so every output is that value. */
    for (size_t i = 0; i < (size_t)(77 * problem.value_token_stride - 3); i++) {
        value[i] = 0.75F;
    }
    problem_run(kernels, &problem, 1, out);
    for (size_t i = 0; i < count; i++) {
        assert_true(fabsf(out[i] - 0.75F) < 4e-6F);
    }
    /* A NaN in one query spoils that row only. */
    ((float *)problem.query)[7 * problem.query_token_stride + 5] = NAN; /* token 7 of head 0 */
    for (int sparse = 0; sparse < 2; sparse++) {
        problem.rows = sparse ? PLD_ROWS_PLADIS : PLD_ROWS_SOFTMAX;
        problem_run(kernels, &problem, 1, out);
        for (size_t i = 0; i < count; i++) {
            bool spoiled = i / 80 == 7 && i % 80 < 40;
            assert_true(!isnan(out[i]) == !spoiled);
        }
    }
}

/** A loop that hands out single items backwards, on one slot. */
static void backwards(void *user, size_t count, void (*body)(void *, size_t, size_t, int), void *context) {
    (*(int *)user)++;
    for (size_t i = count; i > 0; i--) {
        body(context, i - 1, i, 0);
    }
}

static void backwards_of(void *user, int threads, size_t count, pld_parallel_body body, void *context) {
    assert_int_equal(threads, 1);
    backwards(user, count, body, context);
}

void check_attention_threads(const pld_kernels *kernels) {
    for (int sparse = 0; sparse < 2; sparse++) {
        pld_attention_problem problem = make_problem(2, 3, 24, 500, 150);
        problem.rows = sparse ? PLD_ROWS_PLADIS : PLD_ROWS_SOFTMAX;
        size_t count = problem_count(&problem);
        float *one = check_floats(count), *many = check_floats(count);
        problem_run(kernels, &problem, 1, one);
        for (int threads = 3; threads <= 48; threads *= 4) { /* tiles of fewer and fewer queries */
            problem_run(kernels, &problem, threads, many);
            check_same("several threads", many, one, count * sizeof(float));
        }
        int calls = 0;
        pld_attention_parallel parallel = {.threads = 1, .parallel_for = backwards, .user = &calls};
        size_t size = pld_attention_scratch_size_with(kernels, &problem, 1);
        problem.out = check_floats(count);
        assert_int_equal(pld_attention_with(kernels, &problem, check_bytes(size), size, &parallel, NULL),
                         PLD_OK);
        check_same("caller's loop", problem.out, one, count * sizeof(float));
        assert_int_equal(calls, 1);
        pld_attention_parallel shared = {.threads = 1, .loop = backwards_of, .user = &calls};
        problem.out = check_floats(count);
        assert_int_equal(pld_attention_with(kernels, &problem, check_bytes(size), size, &shared, NULL),
                         PLD_OK);
        check_same("a loop for this call", problem.out, one, count * sizeof(float));
        assert_int_equal(calls, 2);
    }
}

static void refused(const pld_kernels *kernels, const pld_attention_problem *problem, size_t short_by) {
    pld_error error = {0};
    size_t size = pld_attention_scratch_size_with(kernels, problem, 1);
    void *scratch = check_bytes(size + 1);
    assert_int_equal(pld_attention_with(kernels, problem, scratch, size - short_by, NULL, &error),
                     PLD_ERROR_ARGUMENT);
    assert_int_equal(error.status, PLD_ERROR_ARGUMENT);
    assert_true(error.message[0]);
}

#define REFUSED(field, bad)                                                                                  \
    do {                                                                                                     \
        pld_attention_problem wrong = problem;                                                               \
        wrong.field = bad;                                                                                   \
        refused(kernels, &wrong, 0);                                                                         \
    } while (0)

/** The message of the refusal names the field. */
static void stride_refused(const pld_kernels *kernels, const pld_attention_problem *problem,
                           const char *field) {
    pld_error error = {0};
    size_t size = pld_attention_scratch_size_with(kernels, problem, 1);
    assert_int_equal(pld_attention_with(kernels, problem, check_bytes(size), size, NULL, &error),
                     PLD_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, field));
}

#define STRIDE_REFUSED(field, bad)                                                                           \
    do {                                                                                                     \
        pld_attention_problem wrong = problem;                                                               \
        wrong.field = bad;                                                                                   \
        stride_refused(kernels, &wrong, #field);                                                             \
    } while (0)

/** Rows that would lie on each other are refused by the stride's name; rows shared on purpose are not. */
void check_attention_strides(const pld_kernels *kernels) {
    enum { HEADS = 3, SIZE = 8, QUERIES = 5, KEYS = 7 };
    pld_attention_problem problem = make_problem(2, HEADS, SIZE, QUERIES, KEYS);
    size_t count = problem_count(&problem);
    problem.rows = PLD_ROWS_PLADIS;
    problem.out = check_floats(count);
    mask_problem(&problem, 1);
    const int64_t bad[] = {0, 1, SIZE - 1, -SIZE, -2, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        STRIDE_REFUSED(query_batch_stride, bad[i]);
        STRIDE_REFUSED(query_token_stride, bad[i]);
        STRIDE_REFUSED(query_head_stride, bad[i]);
        STRIDE_REFUSED(key_batch_stride, bad[i]);
        STRIDE_REFUSED(key_token_stride, bad[i]);
        STRIDE_REFUSED(key_head_stride, bad[i]);
        STRIDE_REFUSED(value_batch_stride, bad[i]);
        STRIDE_REFUSED(value_token_stride, bad[i]);
        STRIDE_REFUSED(value_head_stride, bad[i]);
        STRIDE_REFUSED(out_batch_stride, bad[i]);
        STRIDE_REFUSED(out_token_stride, bad[i]);
        STRIDE_REFUSED(out_head_stride, bad[i]);
    }
    STRIDE_REFUSED(key_mask_batch_stride, 0);
    float *const bias = check_floats(KEYS);
    problem.bias = bias;
    problem.bias_batch_stride = problem.bias_head_stride = PLD_STRIDE_SHARED;
    STRIDE_REFUSED(bias_batch_stride, 0);
    STRIDE_REFUSED(bias_head_stride, 0);
    problem.bias = NULL;
    STRIDE_REFUSED(key_mask_batch_stride, KEYS - 1);
    STRIDE_REFUSED(query_token_stride, PLD_STRIDE_SHARED);
    STRIDE_REFUSED(out_head_stride, PLD_STRIDE_SHARED);
    STRIDE_REFUSED(out_batch_stride, PLD_STRIDE_SHARED);
    STRIDE_REFUSED(out_batch_stride, QUERIES * HEADS * SIZE - 1); /* the last row of one batch in the next */
    STRIDE_REFUSED(value_token_stride, HEADS * SIZE - 1);
    pld_attention_problem same = problem;
    same.out = (float *)same.value;
    stride_refused(kernels, &same, "out is the same memory as value");

    /* one of each axis: its stride says nothing */
    pld_attention_problem single = make_problem(1, 1, SIZE, 1, 1);
    float *out = check_floats(SIZE);
    single.query_batch_stride = single.query_token_stride = single.query_head_stride = 0;
    single.key_batch_stride = single.key_token_stride = single.key_head_stride = 0;
    single.value_batch_stride = single.value_token_stride = single.value_head_stride = 0;
    single.out_batch_stride = single.out_token_stride = single.out_head_stride = 0;
    problem_run(kernels, &single, 1, out);
    for (int i = 0; i < SIZE; i++) {
        assert_float_equal(out[i], single.value[i], 1e-6);
    }

    /* one key head and mask for all heads and batches is the same as copies of it, head-major */
    float *expected = check_floats(count), *found = check_floats(count);
    pld_attention_problem shared = problem;
    shared.key_head_stride = shared.value_head_stride = PLD_STRIDE_SHARED;
    shared.key_batch_stride = shared.value_batch_stride = PLD_STRIDE_SHARED;
    shared.key_mask_batch_stride = PLD_STRIDE_SHARED;
    pld_attention_problem written = problem;
    float *key = check_floats(2 * KEYS * HEADS * SIZE), *value = check_floats(2 * KEYS * HEADS * SIZE);
    uint8_t *mask = check_bytes(2 * KEYS);
    for (int b = 0; b < 2; b++) {
        memcpy(mask + b * KEYS, problem.key_mask, KEYS);
        for (int head = 0; head < HEADS; head++) {
            for (int token = 0; token < KEYS; token++) {
                const size_t row = (size_t)(((b * HEADS + head) * KEYS + token) * SIZE);
                memcpy(key + row, problem.key + token * problem.key_token_stride, SIZE * sizeof(float));
                memcpy(value + row, problem.value + token * problem.value_token_stride, SIZE * sizeof(float));
            }
        }
    }
    written.key = key;
    written.value = value;
    written.key_mask = mask;
    written.key_token_stride = written.value_token_stride = SIZE;
    written.key_head_stride = written.value_head_stride = KEYS * SIZE;
    written.key_batch_stride = written.value_batch_stride = HEADS * KEYS * SIZE;
    problem_run(kernels, &shared, 1, found);
    problem_run(kernels, &written, 1, expected);
    check_same("shared rows", found, expected, count * sizeof(float));
}

void check_attention_arguments(const pld_kernels *kernels) {
    pld_attention_problem problem = make_problem(1, 1, 8, 4, 5);
    problem.out = check_floats(32);
    problem.rows = PLD_ROWS_PLADIS;
    refused(kernels, &problem, 1);
    REFUSED(batch, 0);
    REFUSED(heads, -1);
    REFUSED(head_size, 0);
    REFUSED(head_size, 5000);
    REFUSED(query_count, 0);
    REFUSED(key_count, 0);
    REFUSED(query, NULL);
    REFUSED(key, NULL);
    REFUSED(value, NULL);
    REFUSED(out, NULL);
    REFUSED(alpha, 1.0F);
    REFUSED(alpha, 2.5F);
    REFUSED(alpha, NAN);
    REFUSED(lambda, INFINITY);
    REFUSED(joint_text_keys, 6);
    REFUSED(joint_first_text_key, 6);
    REFUSED(joint_first_text_key, -1);
    REFUSED(joint_first_image_query, -1);
    REFUSED(joint_image_queries, 5);
    REFUSED(joint_image_queries, -1);
    REFUSED(key_heads, 2);
    REFUSED(key_heads, -1);
    REFUSED(soft_cap, -1);
    REFUSED(soft_cap, NAN);
    REFUSED(zero_keys, -1);
    REFUSED(zero_keys, (int64_t)1 << 31);
    REFUSED(window, 3); /* not causal */
    REFUSED(window, -1);
    REFUSED(rows, PLD_ROWS_IDENTITY);
    REFUSED(rows, (pld_attention_rows)17);
    problem.joint_first_text_key = problem.joint_text_keys = 3; /* two keys are left */
    refused(kernels, &problem, 0);
    problem.joint_first_text_key = problem.joint_text_keys = 0;
    pld_attention_problem square = make_problem(1, 1, 8, 4, 4);
    square.out = problem.out;
    square.causal = true;
    square.zero_keys = 1;
    refused(kernels, &square, 0);
    square.causal = false;
    square.rows = PLD_ROWS_IDENTITY;
    refused(kernels, &square, 0);
    square.zero_keys = 0;
    square.bias = square.query;
    refused(kernels, &square, 0);
    problem.rows = PLD_ROWS_TEMPERED;
    REFUSED(temperature, 0);
    problem.lambda = 0; /* then α does not matter */
    problem.rows = PLD_ROWS_PLADIS;
    problem.alpha = 1;
    float *out = check_floats(32);
    problem_run(kernels, &problem, 1, out);
}
