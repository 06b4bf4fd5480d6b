/* SPDX-License-Identifier: Apache-2.0 */
/** Heat maps of cross-attention against those that diffusers' layers give
 * (tools/reference/attention_map_cases.py), and that gathering them leaves the picture as it is. Tolerance:
 * 1e-5, relative over the map. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "drawing.h"
#include "suites.h"

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
    o->prompt = json_text(row, "prompt");
    o->width = (int)json_field(row, "width", 0);
    o->height = (int)json_field(row, "height", 0);
    o->steps = (int)json_field(row, "steps", 0);
    o->cfg_scale = json_field(row, "cfg", 0);
    o->seed = (int64_t)json_field(row, "seed", 0);
    o->sampling_method = json_text(row, "sampler");
    o->pladis_scale = json_field(row, "pladis", 0);
    o->pladis_alpha = json_field(row, "alpha", 0);
    o->complex_instruction = json_text(row, "instruction");
    o->max_tokens = (int)json_field(row, "tokens", 0);
}

static void compare(const json_t *row, const pld_attention_maps *maps, const parity_case *c) {
    const size_t words = json_array_size(json_object_get(row, "words"));
    pld_attention_map map = {.struct_size = sizeof map};
    assert_false(pld_attention_maps_get(maps, words, &map));
    for (int kind = 0; kind < 2; kind++) {
        char name[64];
        size_t count = 0;
        snprintf(name, sizeof name, "%s.%s", json_text(row, "name"), kind ? "sparse" : "dense");
        float *wanted = case_values(c, name, &count);
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

static void draw_case(const json_t *row, const parity_case *expected) {
    pld_error error = {0};
    drawing d;
    pld_attention_maps *maps = NULL;
    pld_attention_maps_options wanted;
    pld_generate_options o;
    pld_image plain;
    pld_image watched;
    char words[256];
    join_words(row, words, sizeof words);
    pld_attention_maps_options_init(&wanted, sizeof wanted);
    wanted.words = words;
    wanted.blocks = json_text(row, "blocks");
    wanted.start = json_field(row, "start", 0);
    wanted.end = json_field(row, "end", 0);
    check_status(pld_attention_maps_create(&wanted, &maps, &error), &error);
    drawing_open(&d, reference_path(reference_tree(), "models/%s", json_text(row, "model")));
    set_options(row, &o);
    check_status(pld_generate(d.session, &o, &plain, NULL, &error), &error);
    o.attention_maps = maps;
    check_status(pld_generate(d.session, &o, &watched, NULL, &error), &error);
    assert_memory_equal(plain.pixels, watched.pixels, (size_t)(3 * plain.width * plain.height));
    compare(row, maps, expected);
    pld_image_free(&plain);
    pld_image_free(&watched);
    drawing_close(&d);
    pld_attention_maps_destroy(&maps);
}

static void maps_of_diffusers(void **state) {
    (void)state;
    parity_case c;
    case_open_table("attention_maps", "cases.json", "maps.safetensors", &c);
    assert_int_equal(json_array_size(c.info), 8);
    for (size_t i = 0; i < json_array_size(c.info); i++) {
        draw_case(json_array_get(c.info, i), &c);
    }
    case_close(&c);
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
    drawing d;
    pld_image image;
    drawing_open(&d, reference_path(reference_tree(), "models/sd15"));
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
            status = pld_generate(d.session, &o, &image, NULL, &error);
        }
        assert_int_equal(status, PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, rows[i].says));
        pld_attention_maps_destroy(&maps);
    }
    drawing_close(&d);
}

int parity_attention_maps(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps_of_diffusers), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests_name("attention_maps", tests, NULL, NULL);
}
