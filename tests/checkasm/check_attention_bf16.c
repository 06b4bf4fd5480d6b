/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax attention with bfloat16 products against the double oracle on operands that are rounded beforehand.
 * What is left is the rounding of the weights, which are relative to a number near the largest logit so far
 * and so cannot be rounded beforehand. Each changes by at most 2^-8 of itself, in the sum of weights, too, so
 * that an average changes by at most 2^-8 of the mean distance of the values from it, which is at most 1 for
 * values within ±1; and float32's 1e-5, as in check_attention.c. */
#include <math.h>
#include <string.h>

#include "checkasm.h"
#include "oracle.h"
#include "problem.h"

static double expected[400000];

/** scale·x to the nearest bfloat16, in place. */
static void round_all(const float *x, size_t count, float scale) {
    for (size_t i = 0; i < count; i++) {
        const float scaled = scale * x[i];
        uint16_t bits;
        check_scalar()->f32_to_bf16(&scaled, 1, &bits);
        check_scalar()->bf16_to_f32(&bits, 1, (float *)(uintptr_t)&x[i]);
    }
}

void check_problem_bf16(const pld_kernels *kernels, const char *what, const pld_attention_problem *problem) {
    const size_t count = problem_count(problem);
    const int64_t token = problem->query_token_stride, key_token = problem->key_token_stride;
    const size_t gap = (size_t)(token - problem->heads * problem->head_size);
    const int key_heads = problem->key_heads ? problem->key_heads : problem->heads;
    const size_t key_gap = (size_t)(key_token - key_heads * problem->head_size);
    float *out = check_floats(count);
    pld_attention_problem rounded = *problem;
    float scale = (float)(1 / sqrt((double)problem->head_size));
    scale = problem->rows == PLD_ROWS_TEMPERED ? scale / problem->temperature : scale;
    problem_run(kernels, problem, 1, out);
    round_all(problem->query, (size_t)(problem->batch * problem->query_count * token) - gap,
              scale * 1.44269504F);
    round_all(problem->key, (size_t)(problem->batch * problem->key_count * key_token) - key_gap, 1);
    round_all(problem->value, (size_t)(problem->batch * problem->key_count * key_token) - key_gap, 1);
    const bool pladis = problem->rows == PLD_ROWS_PLADIS;
    rounded.rows = pladis ? PLD_ROWS_PLADIS : PLD_ROWS_SOFTMAX;
    rounded.scale = 0.693147181F; /* logits are exponents of 2 */
    oracle_attention(&rounded, expected);
    /* The sum of the magnitudes of PLADIS weights is at most |1−λ| + |λ|. */
    const double lambda = (double)problem->lambda;
    check_near(what, out, expected, count, 0x1p-8 * (pladis ? fabs(1 - lambda) + fabs(lambda) : 1) + 1e-5, 0);
}

void check_attention_bf16_tile(const pld_kernels *kernels) {
    static const int head_sizes[] = {1, 4, 7, 13, 16, 33, 40, 64, 80, 160, 512};
    static const int64_t keys[] = {1, 2, 3, 64, 65, 130, 300, 1100};
    static const int64_t queries[] = {1, 9, 64, 25, 300, 33, 2, 70};
    for (int h = 0; h < 11; h++) {
        for (int k = 0; k < 8; k++) {
            for (int kind = 0; kind < 3; kind++) {
                pld_attention_problem problem =
                    make_problem(1 + k % 2, 1 + h % 2, head_sizes[h], queries[(h + k) % 8], keys[k]);
                problem.bf16 = true;
                if (kind > 0) {
                    mask_problem(&problem, h + k);
                }
                if (kind > 1) {
                    problem.rows = PLD_ROWS_TEMPERED;
                    problem.temperature = 0.7F;
                }
                check_problem_bf16(kernels, "bf16 softmax", &problem);
                check_release();
            }
        }
    }
}

/** Equal values come out, a NaN spoils its row only, rows do not depend on threads, and rows that PLADIS or
 * PAG make are those of float32. */
static void check_rules(const pld_kernels *kernels) {
    pld_attention_problem problem = make_problem(2, 2, 40, 350, 77);
    const size_t count = problem_count(&problem);
    float *out = check_floats(count), *other = check_floats(count);
    problem.bf16 = true;
    problem_run(kernels, &problem, 1, out);
    problem_run(kernels, &problem, 3, other);
    check_same("bf16, 3 threads", other, out, count * sizeof *out);
    problem.rows = PLD_ROWS_PLADIS;
    problem_run(kernels, &problem, 1, out);
    problem.bf16 = false;
    problem_run(kernels, &problem, 1, other);
    check_same("pladis is float32", other, out, count * sizeof *out);
    problem.bf16 = true;
    problem.lambda = 0;
    problem_run(kernels, &problem, 1, out);
    problem.rows = PLD_ROWS_SOFTMAX;
    problem_run(kernels, &problem, 1, other);
    check_same("lambda 0 is softmax", other, out, count * sizeof *out);
    float *value = (float *)(uintptr_t)problem.value;
    for (size_t i = 0; i < (size_t)(2 * 77 * problem.value_token_stride - 3); i++) {
        value[i] = 0.75F;
    }
    const uint32_t worst = 0xffffffffU; /* rounding its bits as a number would make it a zero */
    memcpy((float *)(uintptr_t)problem.query + 7 * problem.query_token_stride + 5, &worst, sizeof worst);
    problem_run(kernels, &problem, 1, out);
    for (size_t i = 0; i < count; i++) {
        const bool spoiled = i / 80 == 7 && i % 80 < 40;
        assert_true(spoiled ? isnan(out[i]) : fabsf(out[i] - 0.75F) <= 1e-6F);
    }
    check_release();
}

void check_attention_bf16_scratch(const pld_kernels *kernels) {
    check_rules(kernels);
    for (int head_size = 1; head_size <= 512; head_size++) {
        for (int64_t text = 0; text <= 1024; text += 512) {
            const pld_attention_shape shape = {head_size, 1, text, 512};
            assert_true(kernels->attention_bf16_scratch(&shape) * sizeof(float) <=
                        (text ? 2048U : 1024U) * 1024);
        }
    }
}

void check_attention_bf16_queries(const pld_kernels *kernels) {
    for (int head_size = 1; head_size <= 4096; head_size *= 2) {
        const pld_attention_shape shape = {head_size, 1, 0, 0};
        const int64_t queries = kernels->attention_bf16_queries(&shape);
        assert_true(queries > 0 && queries % kernels->attention_query_block() == 0);
    }
}
