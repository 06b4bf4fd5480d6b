/* SPDX-License-Identifier: Apache-2.0 */
/** Heat maps of cross-attention against those that diffusers' layers give
 * (tools/reference/attention_map_cases.py), and that gathering them leaves the picture as it is. Tolerance:
 * 1e-5, relative over the map. */
#define _GNU_SOURCE
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "pladis/pladis.h"

#define DATA PLADIS_TEST_DATA "/attention_maps/"

static pld_engine *engine;

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

static const char *text(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

/** "fox,deep snow" */
static void join_words(const json_t *row, char *words, size_t size) {
    const json_t *list = json_object_get(row, "words");
    words[0] = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const size_t used = strlen(words);
        snprintf(words + used, size - used, "%s%s", i ? ", " : "",
                 json_string_value(json_array_get(list, i)));
    }
}

static void set_options(const json_t *row, pld_generate_options *o) {
    pld_generate_options_init(o, sizeof *o);
    o->dtype = "f32";
    o->prompt = text(row, "prompt");
    o->width = (int)number(row, "width");
    o->height = (int)number(row, "height");
    o->steps = (int)number(row, "steps");
    o->cfg_scale = number(row, "cfg");
    o->seed = (int64_t)number(row, "seed");
    o->sampling_method = text(row, "sampler");
    o->pladis_scale = number(row, "pladis");
    o->pladis_alpha = number(row, "alpha");
}

static void compare(const json_t *row, const pld_attention_maps *maps, const pld_safetensors *expected) {
    const reference_case c = {.tensors = (pld_safetensors *)(uintptr_t)expected};
    const size_t words = json_array_size(json_object_get(row, "words"));
    pld_attention_map map = {.struct_size = sizeof map};
    assert_false(pld_attention_maps_get(maps, words, &map));
    for (int kind = 0; kind < 2; kind++) {
        char name[64];
        size_t count = 0;
        snprintf(name, sizeof name, "%s.%s", text(row, "name"), kind ? "sparse" : "dense");
        float *wanted = reference_values(&c, name, &count);
        for (size_t i = 0; i < words; i++) {
            assert_true(pld_attention_maps_get(maps, i, &map));
            const size_t places = (size_t)(map.width * map.height);
            assert_int_equal(count, words * places);
            assert_true(map.tokens >= 1);
            check_error(name, map.word,
                        relative_error(kind ? map.sparse : map.dense, wanted + i * places, places), 1e-5);
        }
        pld_free(wanted);
    }
}

static void draw_case(const json_t *row, const pld_safetensors *expected) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_attention_maps *maps = NULL;
    pld_attention_maps_options wanted;
    pld_generate_options o;
    pld_image plain;
    pld_image watched;
    char words[256];
    join_words(row, words, sizeof words);
    pld_attention_maps_options_init(&wanted, sizeof wanted);
    wanted.words = words;
    wanted.blocks = text(row, "blocks");
    wanted.start = number(row, "start");
    wanted.end = number(row, "end");
    check_status(pld_attention_maps_create(&wanted, &maps, &error), &error);
    check_status(pld_model_open(engine, reference_path("models/%s", text(row, "model")), &model, &error),
                 &error);
    check_status(pld_session_create(model, &session, &error), &error);
    set_options(row, &o);
    check_status(pld_generate(session, &o, &plain, NULL, &error), &error);
    o.attention_maps = maps;
    check_status(pld_generate(session, &o, &watched, NULL, &error), &error);
    assert_memory_equal(plain.pixels, watched.pixels, (size_t)(3 * plain.width * plain.height));
    compare(row, maps, expected);
    pld_image_free(&plain);
    pld_image_free(&watched);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_attention_maps_destroy(&maps);
}

static void maps_of_diffusers(void **state) {
    (void)state;
    pld_error error = {0};
    pld_safetensors *expected = NULL;
    check_status(pld_safetensors_open(DATA "maps.safetensors", &expected, &error), &error);
    json_t *rows = json_load_file(DATA "cases.json", 0, NULL);
    assert_int_equal(json_array_size(rows), 3);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        draw_case(json_array_get(rows, i), expected);
    }
    json_decref(rows);
    pld_safetensors_close(&expected);
}

/** Each is refused where it can first be known, by name. */
static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *words, *blocks;
        double start, end;
        const char *says;
        bool at_creation;
    } rows[] = {{"", "all", 0, 1, "empty", true},
                {"fox,,hare", "all", 0, 1, "empty", true},
                {"fox", "all", 0.5, 0.5, "fractions", true},
                {"fox", "all", 0, 2, "fractions", true},
                {"wolf", "all", 0, 1, "'wolf'", false},
                {"fox", "middle", 0, 1, "'middle'", false},
                {"fox", "all", 0.1, 0.2, "no network call", false}};
    pld_error error = {0};
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_image image;
    check_status(pld_model_open(engine, reference_path("models/sd15"), &model, &error), &error);
    check_status(pld_session_create(model, &session, &error), &error);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_attention_maps *maps = NULL;
        pld_attention_maps_options wanted;
        pld_attention_maps_options_init(&wanted, sizeof wanted);
        wanted.words = rows[i].words;
        wanted.blocks = rows[i].blocks;
        wanted.start = rows[i].start;
        wanted.end = rows[i].end;
        pld_status status = pld_attention_maps_create(&wanted, &maps, &error);
        if (!rows[i].at_creation) {
            pld_generate_options o;
            assert_int_equal(status, PLD_OK);
            pld_generate_options_init(&o, sizeof o);
            o.dtype = "f32";
            o.prompt = "a fox and a hare";
            o.width = o.height = 64;
            o.steps = 3;
            o.attention_maps = maps;
            status = pld_generate(session, &o, &image, NULL, &error);
        }
        assert_int_equal(status, PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, rows[i].says));
        pld_attention_maps_destroy(&maps);
    }
    pld_session_destroy(&session);
    pld_model_destroy(&model);
}

static int start(void **state) {
    (void)state;
    pld_engine_options options;
    pld_engine_options_init(&options, sizeof options);
    options.isa = pld_isa_name(reference_kernels()->isa);
    return pld_engine_create(&options, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int stop(void **state) {
    (void)state;
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps_of_diffusers), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, start, stop);
}
