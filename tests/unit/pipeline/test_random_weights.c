/* SPDX-License-Identifier: Apache-2.0 */
/** Random weights: the networks of published models have the published numbers of parameters, values follow
 * from names alone and spread as they should, and such a model draws finite pictures. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/tensors/random_weights.h"
#include "pladis/pladis.h"

static pld_engine *engine;

static pld_status open_random(const char *folder, pld_model **model, pld_error *error) {
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.random_weights = true;
    return pld_model_open_with(engine, folder, &options, model, error);
}

static void expect_parts(const char *folder, const uint64_t *parameters, size_t count) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_model_info info = {.struct_size = sizeof info};
    assert_int_equal(open_random(folder, &model, &error), PLD_OK);
    assert_int_equal(pld_model_get_info(model, &info, &error), PLD_OK);
    assert_int_equal(info.part_count, count);
    assert_string_equal(info.layout, "random weights");
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(info.parts[i]->parameters, parameters[i]);
    }
    pld_model_destroy(&model);
}

/** As counted by PyTorch on the published checkpoints: text encoder, U-Net, autoencoder. */
static void test_sd15(void **state) {
    (void)state;
    const uint64_t parameters[] = {123060480, 859520964, 83653863};
    expect_parts(PLADIS_BENCH_DATA "/sd15", parameters, 3);
}

static void test_sdxl(void **state) {
    (void)state;
    const uint64_t parameters[] = {123060480, 694659840, 2567463684, 83653863};
    expect_parts(PLADIS_BENCH_DATA "/sdxl", parameters, 4);
}

static pld_weight_files *collect(const char *const *names, size_t count, int rank, const int64_t *shape) {
    pld_error error = {0};
    pld_random_weights weights = {0};
    pld_weight_files *files = NULL;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pld_random_weights_add(&weights, names[i], rank, shape, &error), PLD_OK);
    }
    assert_int_equal(pld_weight_files_create_random(&weights, &files, &error), PLD_OK);
    pld_random_weights_free(&weights);
    return files;
}

static float value_at(const uint16_t *halves, size_t i) {
    const uint32_t bits = (uint32_t)halves[i] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double deviation(const uint16_t *halves, size_t count) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += value_at(halves, i);
        squares += value_at(halves, i) * value_at(halves, i);
    }
    assert_true(fabs(sum / (double)count) < 0.02 * sqrt(squares / (double)count));
    return sqrt(squares / (double)count);
}

static void read(const pld_weight_files *files, const char *name, size_t first, size_t count, uint16_t *out) {
    pld_error error = {0};
    pld_weight weight;
    assert_true(pld_weight_files_find(files, name, &weight));
    assert_int_equal(pld_weight_read(&weight, 2 * first, 2 * count, out, &error), PLD_OK);
}

static void test_values(void **state) {
    (void)state;
    enum { ROWS = 200, COLUMNS = 100, COUNT = ROWS * COLUMNS };
    static uint16_t a[COUNT], b[COUNT], part[50];
    const int64_t shape[] = {ROWS, COLUMNS};
    const char *const names[] = {"x.to_k.weight", "x.to_q.weight", "token_embedding.weight", "x.to_k.weight"};
    pld_weight_files *files = collect(names, 4, 2, shape);
    assert_int_equal(pld_weight_files_count(files), 3); /* a name counts once */
    read(files, "x.to_k.weight", 0, COUNT, a);
    assert_true(fabs(deviation(a, COUNT) * 10 - 1) < 0.01); /* 1 / sqrt(100) */
    read(files, "x.to_k.weight", 12345, 50, part);
    assert_memory_equal(part, a + 12345, sizeof part); /* a piece is a piece of the whole */
    read(files, "x.to_q.weight", 0, COUNT, b);
    assert_true(fabs(deviation(b, COUNT) * 10 - 2.2) < 0.02);
    assert_memory_not_equal(a, b, sizeof a);
    read(files, "token_embedding.weight", 0, COUNT, b);
    assert_true(fabs(deviation(b, COUNT) - 1) < 0.01);
    pld_weight_files_close(&files);

    const int64_t length[] = {50};
    const char *const vectors[] = {"norm.weight", "norm.bias"};
    files = collect(vectors, 2, 1, length);
    read(files, "norm.weight", 0, 50, part);
    assert_true(value_at(part, 0) == 1 && value_at(part, 49) == 1);
    read(files, "norm.bias", 0, 50, part);
    assert_true(value_at(part, 0) == 0 && value_at(part, 49) == 0);
    pld_weight_files_close(&files);
}

static pld_image draw(void) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image;
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.steps = 2;
    assert_int_equal(open_random(PLADIS_TEST_DATA "/reference/models/sd15", &model, &error), PLD_OK);
    assert_int_equal(pld_session_create(model, &session, &error), PLD_OK);
    assert_int_equal(pld_generate(session, &options, &image, NULL, &error), PLD_OK);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    return image;
}

/** The weights of the folder are not looked at; the picture is the same each time, and no plain area. */
static void test_generation(void **state) {
    (void)state;
    pld_image first = draw(), second = draw();
    const size_t size = (size_t)(3 * first.width * first.height);
    size_t different = 0;
    assert_memory_equal(first.pixels, second.pixels, size);
    for (size_t i = 1; i < size; i++) {
        different += first.pixels[i] != first.pixels[i - 1];
    }
    assert_true(different > size / 2);
    pld_image_free(&first);
    pld_image_free(&second);
}

static void test_refused(void **state) {
    (void)state;
    pld_error error = {0};
    pld_random_weights weights = {0};
    const int64_t huge[] = {INT64_MAX, 16}, none[] = {4, 0};
    assert_int_equal(pld_random_weights_add(&weights, "x", 2, huge, &error), PLD_ERROR_FORMAT);
    assert_int_equal(pld_random_weights_add(&weights, "x", 2, none, &error), PLD_ERROR_FORMAT);
    pld_model *model = NULL;
    assert_int_equal(open_random(PLADIS_TEST_DATA "/no/such", &model, &error), PLD_ERROR_MISSING);
    assert_null(model);
    /* memory that is out at any point ends in an error */
    for (long countdown = 0;; countdown++) {
        pld_inject_allocation_failure(countdown);
        pld_status status = open_random(PLADIS_TEST_DATA "/reference/models/sd15", &model, &error);
        pld_inject_allocation_failure(-1);
        if (status == PLD_OK) {
            pld_model_destroy(&model);
            break;
        }
        assert_null(model);
    }
}

static int set_up(void **state) {
    (void)state;
    pld_error error = {0};
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 1;
    return pld_engine_create(&options, &engine, &error) != PLD_OK;
}

static int tear_down(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sd15),       cmocka_unit_test(test_sdxl),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_generation), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
