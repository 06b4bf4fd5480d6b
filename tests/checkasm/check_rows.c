/* SPDX-License-Identifier: Apache-2.0 */
/* Rows alone against the stored float64 results of the `entmax` package (sorting for α 1.5 and 2, 60
 * bisections otherwise) and of softmax, and their properties. Bounds, for float32 arithmetic on float32
 * logits: softmax and entmax weights 1e-6 for α >= 1.05 and 1e-8/(α−1) below (the power 1/(α−1) multiplies
 * the rounding of its base); mixes 1e-5 (λ multiplies both errors). Weights are compared, not supports: ties
 * at the threshold flip. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "checkasm.h"
#include "io/tensors/tensor_file.h"
#include "oracle.h"
#include "problem.h"

/** A tensor of the file in new memory that check_release frees; NULL when it has no such tensor. */
static void *load(const pld_tensor_file *file, const char *name, int64_t *rows, int64_t *keys) {
    const pld_stored_tensor *tensor = pld_tensor_file_find(file, name);
    if (!tensor) {
        return NULL;
    }
    void *data = check_bytes(tensor->bytes);
    pld_error error = {0};
    if (pld_tensor_file_read(file, tensor, 0, tensor->bytes, data, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    *rows = tensor->shape[0];
    *keys = tensor->shape[1];
    return data;
}

static pld_tensor_file *open_reference(void) {
    char path[1024];
    snprintf(path, sizeof path, "%s/rows.safetensors", check_data_folder());
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    if (pld_tensor_file_open(path, &file, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return file;
}

/** "masked.77.pladis.2.0.1.5" → λ and α; false for other tensors. */
static bool parse_rule(const char *name, float *lambda, float *alpha) {
    const char *rule = strchr(strchr(name, '.') + 1, '.');
    if (strcmp(rule, ".softmax") == 0) {
        *lambda = 0;
        *alpha = 1.5F;
        return true;
    }
    *lambda = 1;
    return sscanf(rule, ".entmax.%f", alpha) == 1 || sscanf(rule, ".pladis.%3f.%f", lambda, alpha) == 2;
}

static void check_stored_rows(const pld_kernels *kernels, const pld_tensor_file *file, const char *name) {
    float lambda, alpha;
    if (strncmp(name, "joint", 5) == 0 || !parse_rule(name, &lambda, &alpha)) {
        return;
    }
    int64_t rows, keys;
    char base[64];
    snprintf(base, sizeof base, "%.*s.logits", (int)(strchr(strchr(name, '.') + 1, '.') - name), name);
    double *expected = load(file, name, &rows, &keys);
    float *logits = load(file, base, &rows, &keys);
    strcpy(strrchr(base, '.'), ".live");
    uint8_t *live = load(file, base, &rows, &keys);
    float *weights = check_floats((size_t)(rows * keys));
    float *scratch = check_bytes((kernels->rows_scratch(keys) + 15) / 16 * 64);
    kernels->attention_rows(logits, rows, keys, live, keys, lambda, alpha, weights, scratch);
    double bound = lambda != 0 && lambda != 1     ? 1e-5
                   : lambda == 1 && alpha < 1.05F ? 1e-8 / ((double)alpha - 1)
                                                  : 1e-6;
    check_near(name, weights, expected, (size_t)(rows * keys), bound, 0);
    kernels->attention_rows(logits, rows, keys, live, keys, lambda, alpha, logits, scratch);
    check_same("in place", logits, weights, (size_t)(rows * keys) * sizeof(float));
    check_release();
}

/** "joint.300.77.pladis.2.0.1.5": the first 77 keys of the rows "plain.300.logits" are text. An attention
 * with those logits as queries, unit vectors as keys and as values gives the weights; with `last` the text
 * stands after the others. */
static void check_stored_joint(const pld_kernels *kernels, const pld_tensor_file *file, const char *name,
                               bool last) {
    int keys, text;
    float lambda, alpha;
    if (sscanf(name, "joint.%d.%d.pladis.%3f.%f", &keys, &text, &lambda, &alpha) != 4) {
        return;
    }
    char base[64];
    int64_t rows = 0, columns = 0;
    snprintf(base, sizeof base, "plain.%d.logits", keys);
    const double *expected = load(file, name, &rows, &columns);
    const float *logits = load(file, base, &rows, &columns);
    float *units = check_floats((size_t)(columns * columns));
    for (int64_t i = 0; i < columns * columns; i++) {
        const int64_t key = last ? (i / columns + text) % columns : i / columns;
        units[i] = i % columns == key ? 1 : 0;
    }
    pld_attention_problem problem;
    pld_attention_problem_init(&problem, sizeof problem);
    problem.head_size = keys;
    problem.query_count = rows;
    problem.key_count = columns;
    problem.query = logits;
    problem.key = problem.value = units;
    problem.query_token_stride = problem.key_token_stride = columns;
    problem.value_token_stride = problem.out_token_stride = columns;
    problem.scale = 1;
    problem.rows = PLD_ROWS_PLADIS;
    problem.lambda = lambda;
    problem.alpha = alpha;
    problem.joint_text_keys = text;
    problem.joint_first_text_key = last ? columns - text : 0;
    float *weights = check_floats((size_t)(rows * columns));
    problem_run(kernels, &problem, 1, weights);
    for (int64_t row = 0; row < rows; row++) { /* logits become exponents of 2, which rounds them */
        double largest = 0;
        for (int64_t key = 0; key < columns; key++) {
            largest = fmax(largest, fabs((double)logits[row * columns + key]));
        }
        const int64_t at = row * columns;
        check_near(name, weights + at, expected + at, (size_t)columns, 1e-5 + 0x1p-23 * largest, 0);
    }
    check_release();
}

void check_attention_rows(const pld_kernels *kernels) {
    pld_tensor_file *file = open_reference();
    size_t count = pld_tensor_file_count(file);
    assert_true(count > 100);
    for (size_t i = 0; i < count; i++) {
        const char *name = pld_tensor_file_at(file, i)->name;
        check_stored_rows(kernels, file, name);
        check_stored_joint(kernels, file, name, false);
        check_stored_joint(kernels, file, name, true);
    }
    pld_tensor_file_close(&file);
}

void check_rows_scratch(const pld_kernels *kernels) {
    assert_true(kernels->rows_scratch(1) > 0);
    assert_true(kernels->rows_scratch(1024) * sizeof(float) <= 256 * 1024);
}

enum { ROWS = 19, KEYS = 77 };

static void run_rows(const pld_kernels *kernels, const float *logits, int64_t rows, int64_t keys,
                     const uint8_t *mask, float lambda, float alpha, float *weights) {
    float *scratch = check_bytes((kernels->rows_scratch(keys) + 15) / 16 * 64);
    kernels->attention_rows(logits, rows, keys, mask, 0, lambda, alpha, weights, scratch);
}

void check_row_properties(const pld_kernels *kernels) {
    static const float alphas[] = {1.001F, 1.01F, 1.1F, 1.25F, 4.0F / 3, 1.5F, 1.7F, 2.0F};
    float *logits = check_floats(ROWS * KEYS), *shuffled = check_floats(ROWS * KEYS);
    float *weights = check_floats(ROWS * KEYS), *other = check_floats(ROWS * KEYS);
    check_fill(logits, ROWS * KEYS, -4, 4);
    for (int a = 0; a < 8; a++) {
        double oracle[KEYS],
            bound = 1e-8 / ((double)alphas[a] - 1) > 1e-6 ? 1e-8 / ((double)alphas[a] - 1) : 1e-6;
        run_rows(kernels, logits, ROWS, KEYS, NULL, 1, alphas[a], weights);
        for (int row = 0; row < ROWS; row++) {
            double z[KEYS], sum = 0;
            for (int key = 0; key < KEYS; key++) {
                z[key] = (double)logits[row * KEYS + key];
                sum += (double)weights[row * KEYS + key];
                /* Reversing the keys reverses the weights: sums change their order, so up to rounding. */
                shuffled[row * KEYS + key] = logits[row * KEYS + KEYS - 1 - key];
            }
            assert_true(fabs(sum - 1) < 1e-5);
            oracle_weights(z, KEYS, 1, (double)alphas[a], oracle);
            check_near("entmax", weights + row * KEYS, oracle, KEYS, bound, 0);
        }
        run_rows(kernels, shuffled, ROWS, KEYS, NULL, 1, alphas[a], other);
        for (int i = 0; i < ROWS * KEYS; i++) {
            assert_true(fabs((double)other[i / KEYS * KEYS + KEYS - 1 - i % KEYS] - (double)weights[i]) <
                        bound);
        }
    }
    /* α → 1 tends to softmax: |entmax − softmax| is of order α − 1. */
    run_rows(kernels, logits, ROWS, KEYS, NULL, 0, 1.5F, weights);
    run_rows(kernels, logits, ROWS, KEYS, NULL, 1, 1.001F, other);
    for (int i = 0; i < ROWS * KEYS; i++) {
        assert_true(fabs((double)other[i] - (double)weights[i]) < 5e-3);
    }
    /* A row's weights do not depend on the rows beside it. */
    run_rows(kernels, logits, ROWS, KEYS, NULL, 2, 1.3F, weights);
    for (int row = 0; row < ROWS; row++) {
        run_rows(kernels, logits + row * KEYS, 1, KEYS, NULL, 2, 1.3F, other);
        check_same("row alone", other, weights + row * KEYS, KEYS * sizeof(float));
    }
}

void check_row_edges(const pld_kernels *kernels) {
    static const float alphas[] = {1.01F, 1.25F, 1.5F, 1.7F, 2.0F};
    for (int a = 0; a < 5; a++) {
        float *logits = check_floats(6 * 5), *weights = check_floats(6 * 5);
        check_fill(logits, 6 * 5, -1, 1);
        logits[0 * 5 + 3] = NAN;       /* row 0: NaN spreads over the row and no further */
        logits[1 * 5 + 0] = -INFINITY; /* row 1: −∞ does not count */
        for (int key = 0; key < 5; key++) {
            logits[2 * 5 + key] = -INFINITY;               /* row 2: nothing counts */
            logits[3 * 5 + key] = key == 4 ? 1e4F : -1e4F; /* row 3: one dominant */
            logits[4 * 5 + key] = 7.5F;                    /* row 4: all equal */
        }
        logits[5 * 5 + 2] = INFINITY; /* row 5: no weights exist */
        run_rows(kernels, logits, 6, 5, NULL, 1.5F, alphas[a], weights);
        for (int key = 0; key < 5; key++) {
            assert_true(isnan(weights[key]));
            assert_true(isfinite(weights[5 + key]));
            assert_true(weights[10 + key] == 0);
            assert_true(fabsf(weights[15 + key] - (key == 4 ? 1.0F : 0.0F)) < 1e-6F);
            assert_true(fabsf(weights[20 + key] - 0.2F) < 1e-6F);
        }
        assert_true(weights[5] == 0 && isnan(weights[27]));
        uint8_t dead[5] = {0};
        run_rows(kernels, logits, 6, 5, dead, 2, alphas[a], weights);
        for (int i = 0; i < 30; i++) {
            assert_true(weights[i] == 0);
        }
        run_rows(kernels, logits + 25, 1, 1, NULL, 2, alphas[a], weights); /* a single key */
        assert_true(fabsf(weights[0] - 1) < 1e-6F);
    }
}
