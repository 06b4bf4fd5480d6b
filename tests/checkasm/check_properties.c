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
    pld_attention_problem_init(&problem);
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

void check_attention_arguments(const pld_kernels *kernels) {
    pld_attention_problem problem = make_problem(1, 1, 8, 4, 5);
    problem.out = check_floats(32);
    problem.rows = PLD_ROWS_PLADIS;
    refused(kernels, &problem, 1);
    REFUSED(struct_size, 3);
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
    REFUSED(joint_first_image_query, -1);
    REFUSED(rows, PLD_ROWS_IDENTITY);
    REFUSED(rows, (pld_attention_rows)17);
    problem.rows = PLD_ROWS_TEMPERED;
    REFUSED(temperature, 0);
    problem.lambda = 0; /* then α does not matter */
    problem.rows = PLD_ROWS_PLADIS;
    problem.alpha = 1;
    float *out = check_floats(32);
    problem_run(kernels, &problem, 1, out);
}
