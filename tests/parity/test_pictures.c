/* SPDX-License-Identifier: Apache-2.0 */
/** Generations that begin at a picture, against diffusers' image-to-image and inpainting pipelines with the
 * same seed; resizing against Pillow. tools/reference/picture_cases.py made the data.
 *
 *  Tolerances: resized pictures are equal; latents of the picture 2e-5 (the VAE's); noise 1e-6; latents
 *  max(1e-4, 30 · sensitivity), as for other generations. */
#define _GNU_SOURCE
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/pictures/png.h"
#include "io/pictures/resample.h"
#include "pipeline/session/session.h"
#include "pladis/pladis.h"

#define DATA PLADIS_TEST_DATA "/pictures/"

static pld_engine *engine;

static void read_png(const char *name, pld_image *image) {
    pld_error error = {0};
    char path[256];
    snprintf(path, sizeof path, "%s%s", DATA, name);
    check_status(pld_image_read_png(path, image, &error), &error);
}

static void resizing(void **state) {
    (void)state;
    pld_error error = {0};
    pld_image image;
    pld_safetensors *file = NULL;
    read_png("init.png", &image);
    check_status(pld_safetensors_open(DATA "resized.safetensors", &file, &error), &error);
    assert_int_equal(pld_safetensors_count(file), 5);
    for (size_t i = 0; i < pld_safetensors_count(file); i++) {
        const pld_stored_tensor *expected = pld_safetensors_at(file, i);
        const int height = (int)expected->shape[0];
        const int width = (int)expected->shape[1];
        uint8_t *found = pld_allocate((size_t)(3 * width * height), 1);
        uint8_t *wanted = pld_allocate((size_t)(3 * width * height), 1);
        check_status(pld_safetensors_read(file, expected, 0, expected->bytes, wanted, &error), &error);
        check_status(
            pld_resample_lanczos(image.pixels, image.width, image.height, 3, found, width, height, &error),
            &error);
        assert_memory_equal(found, wanted, (size_t)(3 * width * height));
        pld_free(found);
        pld_free(wanted);
    }
    pld_safetensors_close(&file);
    pld_image_free(&image);
}

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

static const char *text(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

static double compare(const pld_safetensors *expected, const char *name, const pld_safetensors *found,
                      const char *dumped) {
    char full[96];
    snprintf(full, sizeof full, "%s", name);
    const reference_case a = {.tensors = (pld_safetensors *)(uintptr_t)expected};
    const reference_case b = {.tensors = (pld_safetensors *)(uintptr_t)found};
    size_t count = 0;
    size_t other = 0;
    float *wanted = reference_values(&a, full, &count);
    float *got = reference_values(&b, dumped, &other);
    assert_int_equal(count, other);
    const double error = relative_error(got, wanted, count);
    pld_free(wanted);
    pld_free(got);
    return error;
}

static void check_dump(const json_t *row, const pld_safetensors *expected, const char *path, int first_call) {
    pld_error error = {0};
    pld_safetensors *found = NULL;
    check_status(pld_safetensors_open(path, &found, &error), &error);
    const double tolerance = fmax(1e-4, 30 * number(row, "sensitivity"));
    char first[32];
    snprintf(first, sizeof first, "latents.%02d", first_call);
    const struct {
        const char *expected, *dumped;
        double tolerance;
    } rows[] = {{"image_latents", "image_latents", 2e-5},
                {"latents_init", "latents_init", 1e-6},
                {"latents.first", first, tolerance},
                {"latents", "latents", tolerance}};
    /* diffusers' own latents.first is taken before the picture is put back outside the mask */
    const bool inpaint = json_is_true(json_object_get(row, "inpaint"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (inpaint && i == 2) {
            continue;
        }
        char name[96];
        snprintf(name, sizeof name, "%s.%s", text(row, "name"), rows[i].expected);
        check_error(text(row, "name"), rows[i].expected, compare(expected, name, found, rows[i].dumped),
                    rows[i].tolerance);
    }
    pld_safetensors_close(&found);
}

static void draw_case(pld_session *session, const json_t *row, const pld_safetensors *expected,
                      const pld_image *picture, const pld_image *mask) {
    pld_error error = {0};
    pld_generate_options o;
    pld_image image;
    pld_report report = {.struct_size = sizeof report};
    char path[] = "/tmp/pladis-dump-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    pld_generate_options_init(&o, sizeof o);
    o.dtype = "f32";
    o.prompt = text(row, "prompt");
    o.negative_prompt = text(row, "negative");
    o.width = o.height = 64;
    o.steps = (int)number(row, "steps");
    o.cfg_scale = number(row, "cfg");
    o.seed = (int64_t)number(row, "seed");
    o.sampling_method = text(row, "sampler");
    o.pladis_scale = number(row, "pladis");
    o.init_image = picture;
    o.strength = number(row, "strength");
    o.mask = json_is_true(json_object_get(row, "inpaint")) ? mask : NULL;
    o.eta = strcmp(o.sampling_method, "tcd") == 0 ? 0 : NAN; /* the pipelines hand their own default on */
    o.dump = path;
    o.dump_steps = true;
    check_status(pld_generate(session, &o, &image, &report, &error), &error);
    const int order = strcmp(o.sampling_method, "heun") == 0 ? 2 : 1;
    check_dump(row, expected, path, (o.steps - (int)(o.steps * o.strength)) * order);
    unlink(path);
    assert_true(image.width == 64 && report.strength == o.strength);
    pld_image_free(&image);
}

static void generations(const char *name, const char *folder, size_t wanted) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_safetensors *expected = NULL;
    pld_image picture;
    pld_image mask;
    read_png("init.png", &picture);
    read_png("mask.png", &mask);
    check_status(pld_model_open(engine, reference_path("models/%s", name), &model, &error), &error);
    check_status(pld_session_create(model, &session, &error), &error);
    char file[512];
    snprintf(file, sizeof file, "%s/cases.safetensors", folder);
    check_status(pld_safetensors_open(file, &expected, &error), &error);
    snprintf(file, sizeof file, "%s/cases.json", folder);
    json_t *rows = json_load_file(file, 0, NULL);
    size_t drawn = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        if (strcmp(text(row, "model"), name) == 0) {
            draw_case(session, row, expected, &picture, &mask);
            drawn++;
        }
    }
    assert_int_equal(drawn, wanted);
    json_decref(rows);
    pld_safetensors_close(&expected);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_image_free(&picture);
    pld_image_free(&mask);
}

static void sd15(void **state) {
    (void)state;
    generations("sd15", DATA, 32);
}

static void sd21(void **state) {
    (void)state;
    generations("sd21", DATA, 32);
}

/** tools/reference/pixart_cases.py */
static void pixart(void **state) {
    (void)state;
    generations("pixart", PLADIS_TEST_DATA "/pixart", 2);
    generations("pixart-alpha", PLADIS_TEST_DATA "/pixart", 2);
}

/** Noise goes on and comes off again at every level of every sampler: pld_sampler_predict_x0 of the noise
 * itself. */
static void noise_levels(void **state) {
    (void)state;
    enum { COUNT = 16, STEPS = 7 };
    pld_error error = {0};
    pld_model *model = NULL;
    check_status(pld_model_open(engine, reference_path("models/sd15"), &model, &error), &error);
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        pld_sampler *sampler = NULL;
        const pld_sampling_options options = pld_sampling_options_default(STEPS);
        if (strcmp((*kind)->name, "scm") == 0) { /* for models of its own: test_flow.c */
            continue;
        }
        check_status(pld_sampler_create(*kind, &model->scheduler, &options, NULL, &sampler, &error), &error);
        for (size_t call = 0; call < pld_sampler_schedule(sampler)->calls; call++) {
            float clean[COUNT];
            float noise[COUNT];
            float noisy[COUNT];
            float found[COUNT];
            for (int i = 0; i < COUNT; i++) {
                clean[i] = (float)(i % 5) - 2;
                noise[i] = (float)(i % 7) / 3 - 1;
            }
            pld_sampler_add_noise(sampler, call, clean, noise, noisy, COUNT);
            pld_sampler_predict_x0(sampler, call, noise, noisy, found, COUNT);
            assert_true(relative_error(found, clean, COUNT) < 1e-5);
            assert_true(relative_error(noisy, clean, COUNT) > 1e-3);
        }
        pld_sampler_destroy(&sampler);
    }
    pld_model_destroy(&model);
}

/** What cannot be: each is refused by name. */
static void refusals(void **state) {
    (void)state;
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image picture;
    pld_image dark;
    pld_image image;
    read_png("init.png", &picture);
    read_png("mask.png", &dark);
    memset(dark.pixels, 100, (size_t)(3 * dark.width * dark.height));
    check_status(pld_model_open(engine, reference_path("models/sd15"), &model, &error), &error);
    check_status(pld_session_create(model, &session, &error), &error);
    const pld_image empty = {0};
    const struct {
        const pld_image *picture, *mask;
        double strength;
        const char *says;
    } rows[] = {
        {&picture, NULL, 0, "strength"},   {&picture, NULL, 1.5, "strength"},
        {&picture, NULL, NAN, "strength"}, {&picture, NULL, 0.1, "less than one step; use at least 0.2"},
        {NULL, &picture, 0.5, "mask"},     {&picture, &dark, 0.5, "found nothing light"},
        {&empty, NULL, 0.5, "init-img"},   {&picture, &empty, 0.5, "mask"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_generate_options o;
        pld_generate_options_init(&o, sizeof o);
        o.dtype = "f32";
        o.width = o.height = 64;
        o.steps = 5;
        o.init_image = rows[i].picture;
        o.mask = rows[i].mask;
        o.strength = rows[i].strength;
        assert_int_equal(pld_generate(session, &o, &image, NULL, &error), PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, rows[i].says));
    }
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_image_free(&picture);
    pld_image_free(&dark);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    options.conv = reference_conv();
    options.low_memory = reference_low_memory();
    return pld_engine_create(&options, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(resizing),     cmocka_unit_test(sd15),
                                       cmocka_unit_test(sd21),         cmocka_unit_test(pixart),
                                       cmocka_unit_test(noise_levels), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, start, stop);
}
