/* SPDX-License-Identifier: Apache-2.0 */
/** Generations that begin at a picture, against diffusers' image-to-image and inpainting pipelines with the
 * same seed; resizing against Pillow. tools/reference/picture_cases.py made the data.
 *
 *  Tolerances: resized pictures are equal; latents of the picture 2e-5 (the VAE's); noise 1e-6; latents
 *  max(1e-4, 30 · sensitivity), as for other generations. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "drawing.h"
#include "io/pictures/resample.h"
#include "pipeline/session/session.h"
#include "suites.h"

static void resizing(void **state) {
    (void)state;
    pld_error error = {0};
    pld_image image;
    parity_case c;
    read_png("pictures/init.png", &image);
    case_open_tensors(PLADIS_TEST_DATA "/pictures/resized.safetensors", "resized", &c);
    assert_int_equal(pld_tensor_file_count(c.tensors), 5);
    for (size_t i = 0; i < pld_tensor_file_count(c.tensors); i++) {
        const pld_stored_tensor *expected = pld_tensor_file_at(c.tensors, i);
        const int height = (int)expected->shape[0];
        const int width = (int)expected->shape[1];
        uint8_t *found = pld_allocate((size_t)(3 * width * height), 1);
        uint8_t *wanted = pld_allocate((size_t)(3 * width * height), 1);
        check_status(pld_tensor_file_read(c.tensors, expected, 0, expected->bytes, wanted, &error), &error);
        check_status(
            pld_resample_lanczos(image.pixels, image.width, image.height, 3, found, width, height, &error),
            &error);
        assert_memory_equal(found, wanted, (size_t)(3 * width * height));
        pld_free(found);
        pld_free(wanted);
    }
    case_close(&c);
    pld_image_free(&image);
}

static void check_dump(const json_t *row, const parity_case *expected, const parity_case *found,
                       int first_call) {
    const double tolerance = fmax(1e-4, 30 * json_field(row, "sensitivity", 0));
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
        snprintf(name, sizeof name, "%s.%s", json_text(row, "name"), rows[i].expected);
        check_error(json_text(row, "name"), rows[i].expected,
                    case_error(found, rows[i].dumped, expected, name), rows[i].tolerance);
    }
}

static void draw_case(drawing *d, const json_t *row, const parity_case *expected, const pld_image *picture,
                      const pld_image *mask) {
    pld_generate_options o;
    pld_image image;
    pld_report report;
    parity_case found;
    pld_generate_options_init(&o, sizeof o);
    o.dtype = "f32";
    o.prompt = json_text(row, "prompt");
    o.negative_prompt = json_text(row, "negative");
    o.width = o.height = (int)json_field(row, "side", 64);
    o.complex_instruction = json_text(row, "complex_instruction");
    o.steps = (int)json_field(row, "steps", 0);
    o.cfg_scale = json_field(row, "cfg", 0);
    o.seed = (int64_t)json_field(row, "seed", 0);
    o.sampling_method = json_text(row, "sampler");
    o.pladis_scale = json_field(row, "pladis", 0);
    o.init_image = picture;
    o.strength = json_field(row, "strength", 0);
    o.mask = json_is_true(json_object_get(row, "inpaint")) ? mask : NULL;
    o.eta = strcmp(o.sampling_method, "tcd") == 0 ? 0 : NAN; /* the pipelines hand their own default on */
    drawing_make(d, &o, &image, &report, &found);
    const int order = strcmp(o.sampling_method, "heun") == 0 ? 2 : 1;
    const int first_step = (int)json_field(row, "first_step", o.steps - (int)(o.steps * o.strength));
    check_dump(row, expected, &found, first_step * order);
    assert_true(image.width == o.width && report.strength == o.strength);
    case_close(&found);
    pld_image_free(&image);
}

/** Generations of a model, and the folder of tests/data that holds them. */
static const struct {
    const char *folder, *model;
    int cases;
} models[] = {{"pictures", "sd15", 32},          {"pictures", "sd21", 32},
              {"pixart", "pixart", 2},           {"pixart", "pixart-alpha", 2},
              {"sana", "sana-text", 2},          {"sana", "sana-sprint", 2},
              {"joint/pictures", "flux-dev", 4}, {"joint/pictures", "flux2-klein", 4},
              {"joint/pictures", "sd35", 4},     {"joint/pictures", "z-image", 4}};

static void generations(void **state) {
    (void)state;
    pld_image picture, mask;
    read_png("pictures/init.png", &picture);
    read_png("pictures/mask.png", &mask);
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        drawing d;
        parity_case c;
        int drawn = 0;
        drawing_open(&d, reference_path(reference_tree(), "models/%s", models[m].model));
        case_open_table(models[m].folder, "cases.json", "cases.safetensors", &c);
        for (size_t i = 0; i < json_array_size(c.info); i++) {
            const json_t *row = json_array_get(c.info, i);
            if (strcmp(json_text(row, "model"), models[m].model) == 0) {
                draw_case(&d, row, &c, &picture, &mask);
                drawn++;
            }
        }
        assert_int_equal(drawn, models[m].cases);
        case_close(&c);
        drawing_close(&d);
    }
    pld_image_free(&picture);
    pld_image_free(&mask);
}

/** Noise goes on and comes off again at every level of every sampler: pld_sampler_predict_x0 of the noise
 * itself. */
static void noise_levels(void **state) {
    (void)state;
    enum { COUNT = 16, STEPS = 7 };
    pld_error error = {0};
    drawing d;
    drawing_open(&d, reference_path(reference_tree(), "models/sd15"));
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        pld_sampler *sampler = NULL;
        const pld_sampling_options options = pld_sampling_options_default(STEPS);
        if (strcmp((*kind)->name, "scm") == 0) { /* for models of its own: test_flow.c */
            continue;
        }
        check_status(pld_sampler_create(*kind, &d.model->scheduler, &options, NULL, &sampler, &error),
                     &error);
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
    drawing_close(&d);
}

/** What cannot be: each is refused by name. */
static void refusals(void **state) {
    (void)state;
    drawing d;
    pld_image picture;
    pld_image dark;
    read_png("pictures/init.png", &picture);
    read_png("pictures/mask.png", &dark);
    memset(dark.pixels, 100, (size_t)(3 * dark.width * dark.height));
    drawing_open(&d, reference_path(reference_tree(), "models/sd15"));
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
        check_refused(&d, &o, "picture", rows[i].says);
    }
    drawing_close(&d);
    pld_image_free(&picture);
    pld_image_free(&dark);
}

int parity_pictures(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(resizing), cmocka_unit_test(generations),
                                       cmocka_unit_test(noise_levels), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
