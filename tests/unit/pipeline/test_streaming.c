/* SPDX-License-Identifier: Apache-2.0 */
/** Weights that are read for each use give the bytes of those that stay: every kind of network, in every type of products, with
 * several branches, LoRAs, quantised files, and a room that holds none, some or nearly all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/session/session.h"

#define REFERENCE PLADIS_TEST_DATA "/reference/"
#define LORAS     PLADIS_TEST_DATA "/loras/files/"
enum { SIDE = 64, PIXELS = SIDE * SIDE };

static pld_engine *engine;

/** What is drawn in one case. */
typedef struct drawing {
    const char *path;
    const char *config;   /* NULL: none */
    const char *lora;     /* NULL: none */
    const char *guidance; /* beside CFG; NULL: none */
    double cfg_scale;
    const char *negative;
} drawing;

static void check(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s", error->message);
    }
}

/** Draw twice in a session whose plans have `room` for weights (0: no bounds). */
static pld_report draw(pld_model *model, const drawing *what, const char *dtype, uint64_t room,
                       uint8_t pixels[3 * PIXELS]) {
    pld_error error = {0};
    pld_session *session = NULL;
    pld_report report = {.struct_size = sizeof report};
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a red fox";
    options.negative_prompt = what->negative;
    options.width = SIDE;
    options.height = SIDE;
    options.steps = 2;
    options.dtype = dtype;
    options.cfg_scale = what->cfg_scale;
    options.guidance = &what->guidance;
    options.guidance_count = what->guidance != NULL;
    check(pld_session_create(model, &session, &error), &error);
    session->most_room = room;
    (void)pld_session_make_room(session, NULL);     /* what the session before has left would cost nothing */
    for (int picture = 0; picture < 2; picture++) { /* the second finds the read-ahead at work */
        pld_image image;
        check(pld_generate(session, &options, &image, &report, &error), &error);
        assert_true(picture == 0 || memcmp(pixels, image.pixels, (size_t)3 * PIXELS) == 0);
        memcpy(pixels, image.pixels, (size_t)3 * PIXELS);
        pld_image_free(&image);
    }
    pld_session_destroy(&session);
    return report;
}

static pld_model *open_model(const drawing *what) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.config = what->config;
    check(pld_model_open_with(engine, what->path, &options, &model, &error), &error);
    return model;
}

/** The model with the drawing's LoRA; NULL where it has none. */
static pld_model *with_lora(pld_model *base, const drawing *what) {
    pld_error error = {0};
    pld_model *changed = NULL;
    pld_lora lora;
    pld_lora_init(&lora, sizeof lora);
    lora.path = what->lora;
    const pld_lora *const loras[] = {&lora};
    if (what->lora) {
        check(pld_model_with_loras(base, loras, 1, &changed, &error), &error);
    }
    return changed;
}

static void compare(const drawing *what, const char *dtype) {
    static uint8_t resident[3 * PIXELS], streamed[3 * PIXELS];
    pld_model *base = open_model(what), *changed = with_lora(base, what);
    pld_model *model = changed ? changed : base;
    const pld_report whole = draw(model, what, dtype, 0, resident);
    assert_true(whole.resident_bytes == 0 && whole.streamed_bytes == 0);
    const pld_report none = draw(model, what, dtype, 1, streamed);
    assert_memory_equal(resident, streamed, sizeof resident);
    assert_true(none.streamed_bytes > 0 && none.resident_bytes == 0);
    for (int part = 1; part <= 3; part++) {
        const pld_report some = draw(model, what, dtype, none.streamed_bytes * (uint64_t)part / 4, streamed);
        assert_memory_equal(resident, streamed, sizeof resident);
        assert_true(some.streamed_bytes > 0 && some.streamed_bytes <= none.streamed_bytes);
    }
    const pld_report all = draw(model, what, dtype, none.streamed_bytes * 4, streamed);
    assert_memory_equal(resident, streamed, sizeof resident);
    assert_true(all.streamed_bytes == 0 && all.resident_bytes == none.streamed_bytes);
    pld_model_destroy(&changed);
    pld_model_destroy(&base);
}

static void compare_types(const drawing *what) {
    compare(what, "f32");
    compare(what, "bf16");
    compare(what, "int8");
}

static void unets(void **state) {
    (void)state;
    compare_types(&(drawing){.path = REFERENCE "models/sd15", .cfg_scale = 7});
    compare_types(&(drawing){.path = REFERENCE "models/sdxl", .cfg_scale = 1});
}

static void transformers(void **state) {
    (void)state;
    static const char *const names[] = {"pixart", "sana-text", "anima", "z-image", "sd35"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", REFERENCE "models", names[i]);
        compare_types(&(drawing){.path = path, .cfg_scale = 4, .negative = "x"});
    }
}

/** Where texts of unlike lengths join the sample, each branch has a plan of its own. */
static void several_plans(void **state) {
    (void)state;
    compare_types(
        &(drawing){.path = REFERENCE "models/flux-dev", .cfg_scale = 2, .negative = "one two three four"});
    compare_types(&(drawing){.path = REFERENCE "models/flux2-klein", .cfg_scale = 2, .negative = "one two"});
    compare(
        &(drawing){.path = REFERENCE "models/z-image", .cfg_scale = 4, .negative = "one two three four five"},
        "f32");
    compare(&(drawing){.path = REFERENCE "models/sdxl", .cfg_scale = 5, .guidance = "pag:scale=3"}, "f32");
    compare(&(drawing){.path = REFERENCE "models/sd15", .cfg_scale = 5, .guidance = "interval:start=0.5"},
            "f32");
}

static void stored_types(void **state) {
    (void)state;
    compare_types(&(drawing){.path = REFERENCE "files/flux-dev-fp8-scaled.safetensors",
                             .config = REFERENCE "models/flux-dev",
                             .cfg_scale = 1});
}

static void loras(void **state) {
    (void)state;
    compare_types(
        &(drawing){.path = REFERENCE "models/sd15", .lora = LORAS "kohya.safetensors", .cfg_scale = 7});
    compare_types(&(drawing){.path = REFERENCE "models/flux-dev",
                             .lora = REFERENCE "files/flux-dev-lora-kohya.safetensors",
                             .cfg_scale = 1});
    compare(&(drawing){.path = REFERENCE "files/flux-dev-fp8-scaled.safetensors",
                       .config = REFERENCE "models/flux-dev",
                       .lora = REFERENCE "files/flux-dev-lora-kohya.safetensors",
                       .cfg_scale = 1},
            "f32");
}

static pld_status start_engine(const char *conv) {
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.threads = 2;
    options.conv = conv;
    return pld_engine_create(&options, &engine, NULL);
}

/** The ways to compute convolutions that the default does not take. */
static void forced_convolutions(void **state) {
    (void)state;
    static const char *const ways[] = {"direct", "winograd"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        pld_engine_destroy(&engine);
        assert_int_equal(start_engine(ways[i]), PLD_OK);
        compare_types(&(drawing){.path = REFERENCE "models/sd15", .cfg_scale = 7});
    }
}

static int start(void **state) {
    (void)state;
    return start_engine(NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unets),         cmocka_unit_test(transformers),
        cmocka_unit_test(several_plans), cmocka_unit_test(stored_types),
        cmocka_unit_test(loras),         cmocka_unit_test(forced_convolutions)};
    return cmocka_run_group_tests(tests, start, stop);
}
