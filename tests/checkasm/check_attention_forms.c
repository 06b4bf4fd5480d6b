/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of attention in transformers against the double oracle, with the bounds of check_attention.c and
 * check_attention_bf16.c: grouped heads, caps and biases of logits, causal windows, zero keys, joint rows. */
#include <math.h>
#include <string.h>

#include "checkasm.h"
#include "problem.h"

/** As it is, and with bfloat16 products; the latter rounds its operands. */
static void check_both(const pld_kernels *kernels, const char *what, pld_attention_problem problem) {
    check_problem(kernels, what, &problem);
    problem.bf16 = true;
    check_problem_bf16(kernels, what, &problem);
}

void check_attention_logits(const pld_kernels *kernels) {
    static const int head_sizes[] = {3, 8, 40, 64, 128, 256};
    static const int64_t keys[] = {1, 7, 65, 130, 200};
    static const int64_t queries[] = {1, 33, 130, 40, 9};
    static const float caps[] = {50, 2, 0.5F};
    for (int h = 0; h < 6; h++) {
        for (int k = h % 2; k < 5; k += 2) {
            const int groups = 1 + (h + k) % 3;
            pld_attention_problem problem =
                make_problem(1 + k % 2, 2 * groups, head_sizes[h], queries[(h + k) % 5], keys[k]);
            group_problem(&problem, groups);
            check_both(kernels, "grouped heads", problem);
            bias_problem(&problem);
            check_both(kernels, "bias", problem);
            problem.soft_cap = caps[k % 3];
            check_both(kernels, "cap and bias", problem);
            mask_problem(&problem, h + k);
            check_both(kernels, "masked, cap and bias", problem);
            problem.rows = PLD_ROWS_PLADIS;
            check_problem(kernels, "pladis, cap and bias", &problem);
            problem.rows = PLD_ROWS_TEMPERED;
            problem.temperature = 0.6F;
            problem.scale = 0.3F;
            check_problem(kernels, "tempered, cap and bias", &problem);
            check_release();
        }
    }
    /* A relative bias is a table that every query reads from a place of its own. */
    enum { TOKENS = 77, HEADS = 2 };
    pld_attention_problem problem = make_problem(2, HEADS, 16, TOKENS, TOKENS);
    float *table = check_floats((size_t)HEADS * (2 * TOKENS - 1));
    check_fill(table, (size_t)HEADS * (2 * TOKENS - 1), -4, 4);
    problem.scale = 1;
    problem.bias = table + TOKENS - 1;
    problem.bias_batch_stride = PLD_STRIDE_SHARED;
    problem.bias_head_stride = 2 * TOKENS - 1;
    problem.bias_query_stride = -1;
    check_problem(kernels, "relative bias", &problem);
    /* A cap leaves NaN as it is, and brings infinite products to itself. */
    const size_t count = problem_count(&problem);
    float *out = check_floats(count), *query = (float *)(uintptr_t)problem.query;
    problem.soft_cap = 3;
    query[0] = NAN;
    query[problem.query_token_stride] = INFINITY;
    problem_run(kernels, &problem, 1, out);
    assert_true(isnan(out[0]) && isfinite(out[problem.out_token_stride]));
}

void check_attention_order(const pld_kernels *kernels) {
    static const int64_t tokens[] = {1, 2, 33, 77, 130, 260};
    static const int64_t windows[] = {0, 1, 5, 32, 64, 100, 1000};
    static const int head_sizes[] = {8, 40, 128, 5};
    for (int t = 0; t < 6; t++) {
        for (int w = 0; w < 7; w++) {
            /* padding may stand behind the keys, where there is no window */
            const int64_t padding = windows[w] ? 0 : 13 * (t % 3);
            pld_attention_problem problem =
                make_problem(1, 2, head_sizes[(t + w) % 4], tokens[t] + padding, tokens[t]);
            group_problem(&problem, 1);
            problem.causal = true;
            problem.window = windows[w];
            check_problem(kernels, "window", &problem);
            problem.soft_cap = 4;
            bias_problem(&problem);
            mask_problem(&problem, t + w);
            check_problem(kernels, "window, masked, cap and bias", &problem);
            const size_t count = problem_count(&problem);
            float *one = check_floats(count), *many = check_floats(count);
            problem_run(kernels, &problem, 1, one);
            for (int threads = 3; threads <= 18; threads *= 6) {
                problem_run(kernels, &problem, threads, many);
                check_same("window, several threads", many, one, count * sizeof *one);
            }
            check_release();
        }
    }
}

void check_attention_zero_keys(const pld_kernels *kernels) {
    static const int64_t keys[] = {1, 5, 77, 319, 320, 400};
    static const int64_t zeros[] = {1, 2, 3, 435};
    static const float alphas[] = {1.5F, 2.0F, 1.25F, 1.1F, 1.8F, 4.0F / 3};
    for (int k = 0; k < 6; k++) {
        for (int z = k % 2; z < 4; z += 2) {
            pld_attention_problem problem = make_problem(1 + z / 2, 1, 12, 37, keys[k]);
            problem.zero_keys = zeros[z];
            check_both(kernels, "zero keys", problem);
            mask_problem(&problem, k + z); /* perhaps of all keys: then the zero keys alone are left */
            check_both(kernels, "zero keys, masked", problem);
            problem.rows = PLD_ROWS_PLADIS;
            problem.alpha = alphas[(k + z) % 6];
            check_problem(kernels, "zero keys, pladis", &problem);
            problem.lambda = 1;
            problem.soft_cap = 2;
            bias_problem(&problem);
            check_problem(kernels, "zero keys, entmax", &problem);
            problem.rows = PLD_ROWS_TEMPERED;
            problem.temperature = 1.5F;
            check_problem(kernels, "zero keys, tempered", &problem);
            check_release();
        }
    }
}

/** Text of `text` keys from `first` on, image queries likewise. */
static void check_joint(const pld_kernels *kernels, pld_attention_problem problem, int64_t text,
                        int64_t first) {
    problem.rows = PLD_ROWS_PLADIS;
    problem.joint_text_keys = text;
    problem.joint_first_text_key = first;
    problem.joint_first_image_query = first == 0 ? problem.query_count / 5 : 0;
    problem.joint_image_queries = first == 0 ? 0 : problem.query_count - problem.query_count / 5;
    check_both(kernels, "joint", problem);
    const size_t count = problem_count(&problem);
    float *one = check_floats(count), *many = check_floats(count);
    for (int bf16 = 0; bf16 < 2; bf16++) {
        problem.bf16 = bf16;
        problem_run(kernels, &problem, 1, one);
        problem_run(kernels, &problem, 3, many);
        check_same("joint, several threads", many, one, count * sizeof *one);
    }
}

void check_joint_attention(const pld_kernels *kernels) {
    static const int head_sizes[] = {5, 32, 128, 72};
    static const int64_t texts[] = {1, 33, 77, 321, 420};
    static const int64_t images[] = {1, 40, 64, 150};
    static const int64_t queries[] = {7, 190, 31, 100};
    static const float alphas[] = {1.5F, 1.5F, 2.0F, 1.25F, 1.7F};
    for (int t = 0; t < 5; t++) {
        for (int i = t % 2; i < 4; i += 2) {
            pld_attention_problem problem =
                make_problem(1, 2, head_sizes[(t + i) % 4], queries[i], texts[t] + images[i]);
            problem.alpha = alphas[t];
            problem.lambda = t % 2 ? 2 : 1.5F;
            check_joint(kernels, problem, texts[t], 0);
            check_joint(kernels, problem, texts[t], images[i]);
            group_problem(&problem, 1);
            mask_problem(&problem, 1 + t % 2);
            problem.zero_keys = i % 2 ? 100 : 0;
            check_joint(kernels, problem, texts[t], images[i] / 2);
            problem.soft_cap = 3;
            bias_problem(&problem);
            check_joint(kernels, problem, texts[t], images[i]);
            check_release();
        }
    }
}
