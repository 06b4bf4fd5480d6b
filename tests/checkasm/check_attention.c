/* SPDX-License-Identifier: Apache-2.0 */
/* Whole attentions against the double oracle. Bound 1e-5·max|v|: float32 logits of size up to ~10 carry
 * about 1e-6, which moves weights by as much relatively; λ = 2 multiplies that, entmax adds its own
 * 1e-6 a weight. */
#include <math.h>
#include <string.h>

#include "checkasm.h"
#include "kernels/attention.h"
#include "oracle.h"
#include "problem.h"

static double expected[400000];

void check_problem(const pld_kernels *kernels, const char *what, const pld_attention_problem *problem) {
    size_t count = problem_count(problem);
    float *out = check_floats(count);
    problem_run(kernels, problem, 1, out);
    oracle_attention(problem, expected);
    check_near(what, out, expected, count, 1e-5 * fmax(1, sqrt(problem->head_size / 64.0)), 0);
}

/** Logits that rise by `rise` from key to key, from `first` on, with a tenth of noise: blocks of keys after
 * the first then exceed the maximum so far by little, by much, or by more than floats resolve. */
static void check_rising(const pld_kernels *kernels, float first, float rise, int64_t keys) {
    pld_attention_problem problem = make_problem(1, 1, 4, 50, keys);
    float *query = (float *)problem.query;
    float *key = (float *)problem.key;
    for (int64_t i = 0; i < 50; i++) {
        query[i * problem.query_token_stride] = 1;
    }
    for (int64_t i = 0; i < keys; i++) {
        float *at = key + i * problem.key_token_stride;
        at[0] = first + rise * (float)i;
        for (int c = 1; c < 4; c++) {
            at[c] *= 0.1F;
        }
    }
    problem.scale = 1;
    check_problem(kernels, "rising logits", &problem);
    problem.rows = PLD_ROWS_PLADIS;
    problem.joint_text_keys = keys / 3;
    problem.joint_first_image_query = 5;
    check_problem(kernels, "rising logits, joint", &problem);
    check_release();
}

void check_attention_tile(const pld_kernels *kernels) {
    check_rising(kernels, 0, 0.125F, 300);
    check_rising(kernels, -30, 0.5F, 130);
    check_rising(kernels, 20, -0.25F, 200);
    check_rising(kernels, -6e6F, 65536, 250);
    check_rising(kernels, 2e6F, -65536, 250);
    static const int head_sizes[] = {4, 7, 13, 40, 64, 72, 80, 112, 160, 512};
    static const int64_t keys[] = {1, 3, 5, 77, 130, 300, 1100};
    static const int64_t queries[] = {1, 9, 64, 25, 100, 33, 2};
    static const float alphas[] = {1.5F, 2.0F, 1.25F, 1.1F, 1.8F};
    for (int h = 0; h < 10; h++) {
        for (int k = 0; k < 7; k++) {
            pld_attention_problem problem =
                make_problem(1 + k % 2, 1 + h % 2, head_sizes[h], queries[(h + k) % 7], keys[k]);
            check_problem(kernels, "softmax", &problem);
            problem.rows = PLD_ROWS_PLADIS;
            problem.alpha = alphas[(h + k) % 5];
            check_problem(kernels, "pladis", &problem);
            mask_problem(&problem, h + k);
            check_problem(kernels, "masked pladis", &problem);
            problem.joint_text_keys = 1 + keys[k] / 3;
            problem.joint_first_image_query = problem.query_count / 4;
            check_problem(kernels, "joint", &problem);
            problem.rows = PLD_ROWS_TEMPERED;
            problem.temperature = 0.7F;
            check_problem(kernels, "masked, tempered", &problem);
            check_release();
        }
    }
    static const int64_t tokens[] = {1, 2, 16, 33, 77, 130, 200};
    for (int t = 0; t < 7; t++) {
        pld_attention_problem problem = make_problem(2, 2, head_sizes[t], tokens[t], tokens[t]);
        problem.causal = true;
        check_problem(kernels, "causal", &problem);
        problem.bf16 = true;
        problem.rows = PLD_ROWS_TEMPERED;
        problem.temperature = 0.7F;
        mask_problem(&problem, t);
        check_problem(kernels, "masked, causal, tempered", &problem);
        check_release();
    }
    pld_attention_problem problem = make_problem(2, 3, 10, 12, 12);
    problem.rows = PLD_ROWS_IDENTITY;
    check_problem(kernels, "identity", &problem);
}

void check_attention_scratch(const pld_kernels *kernels) {
    for (int head_size = 1; head_size <= 512; head_size++) {
        for (int64_t keys = 0; keys <= 1024; keys += 128) {
            const pld_attention_shape cross = {head_size, keys ? 0 : 1, keys, 0};
            const pld_attention_shape joint = {head_size, 1, keys, 512};
            assert_true(kernels->attention_scratch(&cross) * sizeof(float) <= 256 * 1024);
            assert_true(kernels->attention_scratch(&joint) * sizeof(float) <= 1024 * 1024);
        }
    }
}

void check_attention_query_block(const pld_kernels *kernels) {
    assert_true(kernels->attention_query_block() > 0);
}

void check_attention_queries(const pld_kernels *kernels) {
    const int64_t block = kernels->attention_query_block();
    for (int head_size = 1; head_size <= 512; head_size++) {
        for (int64_t keys = 0; keys <= 77; keys += 77) {
            for (int64_t dense = 0; dense <= 1; dense++) {
                const pld_attention_shape shape = {head_size, dense, keys, 0};
                const int64_t queries = kernels->attention_queries(&shape);
                assert_true(queries >= block && queries % block == 0);
            }
        }
    }
}
