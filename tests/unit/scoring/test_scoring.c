/* SPDX-License-Identifier: Apache-2.0 */
/* The scorer against tools/demo_model: captions with the scene that they were made from, true pictures with
 * what score.py says of them, and captions that the grammar has not. */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "core/memory.h"
#include "io/pictures/png.h"
#include "pladis/scoring.h"
#include "scoring/components.h"

enum { SIDE = 128, COLUMNS = 16 };

static pld_error error;
static pld_scorer *scorer;

static int make_scorer(void **state) {
    (void)state;
    return pld_scorer_create(&scorer, &error) == PLD_OK ? 0 : -1;
}

static int drop_scorer(void **state) {
    (void)state;
    pld_scorer_destroy(&scorer);
    return 0;
}

/** Index of a word that the JSON names, PLD_ANY for null. */
static int index_of(pld_world_list list, const json_t *word) {
    if (json_is_null(word)) {
        return PLD_ANY;
    }
    const char *known;
    for (int i = 0; (known = pld_world_word(list, i)) != NULL; i++) {
        if (strcmp(known, json_string_value(word)) == 0) {
            return i;
        }
    }
    fail_msg("unknown word %s", json_string_value(word));
    return PLD_ANY;
}

/** The caption of a row is understood as the scene that it was made from. */
static pld_caption check_row(const json_t *row) {
    const json_t *scene = json_object_get(row, "scene"), *objects = json_object_get(scene, "objects");
    const char *text = json_string_value(json_object_get(row, "caption"));
    pld_caption caption = {.struct_size = sizeof caption};
    if (pld_caption_parse(text, &caption, &error) != PLD_OK) {
        fail_msg("%s: %s", text, error.message);
    }
    assert_int_equal(caption.category, index_of(PLD_WORLD_CATEGORIES, json_object_get(row, "category")));
    assert_int_equal(caption.relation, index_of(PLD_WORLD_RELATIONS, json_object_get(scene, "relation")));
    assert_int_equal(caption.background,
                     index_of(PLD_WORLD_BACKGROUNDS, json_object_get(scene, "background")));
    assert_int_equal(caption.thing_count, json_integer_value(json_object_get(scene, "count")));
    for (int i = 0; i < caption.thing_count; i++) {
        const json_t *object = json_array_get(objects, json_array_size(objects) == 1 ? 0 : (size_t)i);
        assert_int_equal(caption.shapes[i], index_of(PLD_WORLD_SHAPES, json_object_get(object, "shape")));
        assert_int_equal(caption.colours[i], index_of(PLD_WORLD_COLOURS, json_object_get(object, "colour")));
        assert_int_equal(caption.sizes[i], index_of(PLD_WORLD_SIZES, json_object_get(object, "size")));
    }
    return caption;
}

/** Call `check` with each line of a file of JSON lines; their number. */
static int each_row(const char *path, void (*check)(const json_t *row, int index)) {
    FILE *file = fopen(path, "r");
    char line[8192];
    int count = 0;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        check(row, count++);
        json_decref(row);
    }
    fclose(file);
    return count;
}

static void check_caption(const json_t *row, int index) {
    (void)index;
    check_row(row);
}

static void captions_of_both_splits_are_understood(void **state) {
    (void)state;
    int count = each_row(PLADIS_TEST_DATA "/../../models/demo/prompts/heldout.jsonl", check_caption);
    assert_true(count >= 500);
    assert_true(each_row(PLADIS_TEST_DATA "/../../models/demo/prompts/development.jsonl", check_caption) >
                100);
}

static void other_captions_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *caption, *says;
    } cases[] = {
        {"", "found none"},
        {" \t ", "found none"},
        {"a", "at its end"},
        {"a red fox",
         "word 3 (column 7): expected a shape (circle, square, triangle, star, ring, cross, heart), "
         "found \"fox\""},
        {"a huge star", "word 2 (column 3)"},
        {"red star", "word 1 (column 1)"},
        {"a red large star", "word 3 (column 7): expected a shape"},
        {"five stars", "word 1 (column 1)"},
        {"two star", "found \"star\""},
        {"three large stars", "found \"large\""},
        {"a star beside a ring", "word 3 (column 8): expected and, a relation"},
        {"a star and", "at its end"},
        {"a star to the left a ring", "word 3"},
        {"a star, a ring", "expected and at its end"},
        {"a star, a ring and a heart", "each of three things needs a colour"},
        {"a red star, a ring and a blue heart", "each of three things needs a colour"},
        {"a star on a red background", "expected cream, grey, light blue or dark, found \"red\""},
        {"a star on a grey", "expected background at its end"},
        {"a star on a grey background please", "word 7 (column 29): expected the end, found \"please\""},
        {"two stars and a ring", "expected \"on a ... background\" or the end, found \"and\""},
        {"a star above a ring above a heart", "found \"above\""},
        {"a (red:1.3) star", "found \"(red:1.3)\""},
        {"a st\xc3\xa4r", "found \"st\xc3\xa4r\""},
        {"a star.", "found \"star.\""},
        {"a sttttttttttttttttttttttttttttttttttttttttttttttttttttar", "tttt\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pld_caption caption = {.struct_size = sizeof caption};
        assert_int_equal(pld_caption_parse(cases[i].caption, &caption, &error), PLD_ERROR_ARGUMENT);
        if (!strstr(error.message, cases[i].says)) {
            fail_msg("\"%s\" says: %s", cases[i].caption, error.message);
        }
    }
    char endless[1024] = "a star and a";
    for (int i = 0; i < 100; i++) {
        strcat(endless, " star");
    }
    pld_caption caption = {.struct_size = sizeof caption};
    assert_int_equal(pld_caption_parse(endless, &caption, &error), PLD_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "at most 64 words"));
}

static void case_and_blanks_do_not_matter(void **state) {
    (void)state;
    pld_caption a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    assert_int_equal(
        pld_caption_parse("A Picture OF  a red\tSTAR ,a blue ring and a GREEN heart ", &a, &error), PLD_OK);
    assert_int_equal(pld_caption_parse("a picture of a red star, a blue ring and a green heart", &b, &error),
                     PLD_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.category, PLD_CATEGORY_COLOR_ATTR);
}

static pld_png_picture true_pictures;
static int accepted[PLD_CATEGORY_COUNT], of_category[PLD_CATEGORY_COUNT], wrong;
static pld_caption previous;

/** Picture `index` of the sheet of true pictures. */
static void cut(int index, uint8_t *rgb) {
    for (int y = 0; y < SIDE; y++) {
        const size_t row = (size_t)(index / COLUMNS * SIDE + y) * (size_t)true_pictures.width;
        memcpy(rgb + y * SIDE * 3, true_pictures.rgb + 3 * (row + (size_t)(index % COLUMNS * SIDE)),
               3 * SIDE);
    }
}

static void check_things(const json_t *row, const pld_scene *scene) {
    const json_t *seen = json_object_get(row, "seen"), *things = json_object_get(seen, "things");
    assert_int_equal(scene->background, index_of(PLD_WORLD_BACKGROUNDS, json_object_get(seen, "background")));
    assert_int_equal(scene->thing_count, json_array_size(things));
    for (int i = 0; i < scene->thing_count; i++) {
        const json_t *thing = json_array_get(things, (size_t)i);
        assert_int_equal(scene->shapes[i], index_of(PLD_WORLD_SHAPES, json_object_get(thing, "shape")));
        assert_int_equal(scene->colours[i], index_of(PLD_WORLD_COLOURS, json_object_get(thing, "colour")));
        /* The file has six decimals. */
        assert_true(fabs(scene->x[i] - json_number_value(json_object_get(thing, "x"))) < 1e-6);
        assert_true(fabs(scene->y[i] - json_number_value(json_object_get(thing, "y"))) < 1e-6);
        assert_true(fabs(scene->radii[i] - json_number_value(json_object_get(thing, "r"))) < 1e-6);
        assert_true(fabs(scene->overlaps[i] - json_number_value(json_object_get(thing, "iou"))) < 1e-6);
    }
}

static void check_picture(const json_t *row, int index) {
    static uint8_t rgb[SIDE * SIDE * 3];
    static const char *const shared[] = {"count", "shape", "colour", "binding", "all"};
    pld_caption caption = check_row(row);
    pld_scene scene = {.struct_size = sizeof scene};
    int verdict[PLD_ASPECT_COUNT], other[PLD_ASPECT_COUNT];
    cut(index, rgb);
    assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, SIDE, &scene, &error), PLD_OK);
    check_things(row, &scene);
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    for (int aspect = 0; aspect < PLD_ASPECT_COUNT; aspect++) {
        for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
            if (verdict[aspect] != PLD_ANY &&
                strcmp(shared[i], pld_world_word(PLD_WORLD_ASPECTS, aspect)) == 0) {
                const json_t *said = json_object_get(json_object_get(row, "verdict"), shared[i]);
                assert_int_equal(verdict[aspect], json_is_true(said));
            }
        }
    }
    accepted[caption.category] += verdict[PLD_ASPECT_ALL];
    of_category[caption.category]++;
    if (index > 0) {
        assert_int_equal(pld_scene_judge(&scene, &previous, other, PLD_ASPECT_COUNT, &error), PLD_OK);
        assert_int_equal(other[PLD_ASPECT_ALL], json_is_true(json_object_get(row, "previous_holds")));
        wrong += !other[PLD_ASPECT_ALL];
    }
    previous = caption;
}

static void true_pictures_are_seen_as_in_python(void **state) {
    (void)state;
    assert_int_equal(pld_png_read(PLADIS_TEST_DATA "/scoring/true.png", &true_pictures, &error), PLD_OK);
    int count = each_row(PLADIS_TEST_DATA "/scoring/true.jsonl", check_picture);
    assert_int_equal(count, COLUMNS * (true_pictures.height / SIDE));
    for (int i = 0; i < PLD_CATEGORY_COUNT; i++) {
        assert_true(of_category[i] >= 8 && accepted[i] == of_category[i]);
    }
    assert_true(wrong > 80); /* pictures under their neighbour's caption, which is seldom true of them too */
    pld_png_picture_free(&true_pictures);
}

/** Twice the size, the same verdict. */
static void larger_pictures_are_seen_too(void **state) {
    (void)state;
    static uint8_t rgb[SIDE * SIDE * 3], large[4 * SIDE * SIDE * 3];
    pld_scene small_scene = {.struct_size = sizeof small_scene};
    pld_scene large_scene = {.struct_size = sizeof large_scene};
    assert_int_equal(pld_png_read(PLADIS_TEST_DATA "/scoring/true.png", &true_pictures, &error), PLD_OK);
    for (int index = 0; index < 96; index += 7) {
        cut(index, rgb);
        for (size_t y = 0; y < 2 * SIDE; y++) {
            for (size_t x = 0; x < 2 * SIDE; x++) {
                memcpy(large + 3 * (y * 2 * SIDE + x), rgb + 3 * (y / 2 * SIDE + x / 2), 3);
            }
        }
        assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, SIDE, &small_scene, &error), PLD_OK);
        assert_int_equal(pld_scorer_look(scorer, large, 2 * SIDE, 2 * SIDE, &large_scene, &error), PLD_OK);
        assert_int_equal(small_scene.thing_count, large_scene.thing_count);
        for (int i = 0; i < small_scene.thing_count; i++) {
            assert_int_equal(small_scene.shapes[i], large_scene.shapes[i]);
            assert_int_equal(small_scene.colours[i], large_scene.colours[i]);
        }
    }
    pld_png_picture_free(&true_pictures);
}

static void odd_pictures_are_looked_at(void **state) {
    (void)state;
    pld_scene scene = {.struct_size = sizeof scene};
    uint8_t *rgb = malloc((size_t)SIDE * SIDE * 3);
    assert_non_null(rgb);
    memset(rgb, 255, (size_t)SIDE * SIDE * 3);
    assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, SIDE, &scene, &error), PLD_OK);
    assert_int_equal(scene.thing_count, 0);
    assert_int_equal(pld_scorer_look(scorer, rgb, 16, SIDE, &scene, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, 5000, &scene, &error), PLD_ERROR_ARGUMENT);
    /* more things than are listed: a board of squares */
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            memset(rgb + 3 * (y * SIDE + x), x % 16 < 10 && y % 16 < 10 ? 0 : 255, 3);
        }
    }
    assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, SIDE, &scene, &error), PLD_OK);
    assert_int_equal(scene.thing_count, 64);
    pld_caption caption = {.struct_size = sizeof caption};
    int verdict[PLD_ASPECT_COUNT];
    assert_int_equal(pld_caption_parse("four brown squares", &caption, &error), PLD_OK);
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    assert_int_equal(verdict[PLD_ASPECT_COUNT_OF_THINGS], 0);
    assert_int_equal(verdict[PLD_ASPECT_ALL], 0);
    assert_int_equal(verdict[PLD_ASPECT_POSITION], PLD_ANY);
    free(rgb);
}

/** Assignments, by hand: two red rings are not a red ring and a blue star. */
static void aspects_are_told_apart(void **state) {
    (void)state;
    pld_caption caption = {.struct_size = sizeof caption};
    int verdict[PLD_ASPECT_COUNT];
    assert_int_equal(pld_caption_parse("a small red ring left of a large blue star on a dark background",
                                       &caption, &error),
                     PLD_OK);
    pld_scene scene = {.struct_size = sizeof scene,
                       .background = 3,
                       .thing_count = 2,
                       .shapes = {3, 4},
                       .colours = {4, 0},
                       .x = {90, 30},
                       .y = {60, 70},
                       .radii = {25, 13}};
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        assert_int_equal(verdict[i], 1);
    }
    scene.x[1] = 85; /* below it now */
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    assert_true(verdict[PLD_ASPECT_SIZE] && !verdict[PLD_ASPECT_POSITION] && !verdict[PLD_ASPECT_ALL]);
    scene.x[1] = 30;
    scene.radii[1] = 20;
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    assert_true(verdict[PLD_ASPECT_POSITION] && !verdict[PLD_ASPECT_SIZE] && !verdict[PLD_ASPECT_ALL]);
    scene.radii[1] = 13;
    scene.colours[0] = 0;
    scene.colours[1] = 4; /* the colours are swapped: both are there, on the wrong shapes */
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    assert_true(verdict[PLD_ASPECT_SHAPE] && verdict[PLD_ASPECT_COLOUR] && !verdict[PLD_ASPECT_BINDING]);
    scene.background = 0;
    assert_int_equal(pld_scene_judge(&scene, &caption, verdict, PLD_ASPECT_COUNT, &error), PLD_OK);
    assert_false(verdict[PLD_ASPECT_BACKGROUND]);
}

static void components_are_four_connected(void **state) {
    (void)state;
    static const uint8_t mask[] = {1, 0, 1, 1, /**/ 0, 1, 0, 1, /**/ 1, 1, 0, 1};
    pld_components found;
    assert_int_equal(pld_components_find(mask, 4, 3, &found, &error), PLD_OK);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.items[1].area, 4);
    assert_int_equal(found.items[2].area, 3);
    assert_int_equal(found.items[2].left, 0);
    assert_int_equal(found.items[2].bottom, 3);
    pld_components_free(&found);
}

/** Memory that runs out anywhere ends in an error, and nothing is lost. */
static void memory_may_run_out(void **state) {
    (void)state;
    uint8_t *rgb = calloc((size_t)SIDE * SIDE, 3);
    pld_status status = PLD_ERROR_MEMORY;
    assert_non_null(rgb);
    memset(rgb + 3 * 64 * SIDE, 200, 3 * 12 * SIDE);
    for (long countdown = 0; status != PLD_OK; countdown++) {
        pld_scorer *made = NULL;
        pld_scene scene = {.struct_size = sizeof scene};
        assert_true(countdown < 100);
        pld_inject_allocation_failure(countdown);
        status = pld_scorer_create(&made, &error);
        if (status == PLD_OK) {
            status = pld_scorer_look(made, rgb, SIDE, SIDE, &scene, &error);
        }
        pld_inject_allocation_failure(-1);
        pld_scorer_destroy(&made);
        assert_true(status == PLD_OK || status == PLD_ERROR_MEMORY);
    }
    free(rgb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_of_both_splits_are_understood),
        cmocka_unit_test(other_captions_are_refused),
        cmocka_unit_test(case_and_blanks_do_not_matter),
        cmocka_unit_test(true_pictures_are_seen_as_in_python),
        cmocka_unit_test(larger_pictures_are_seen_too),
        cmocka_unit_test(odd_pictures_are_looked_at),
        cmocka_unit_test(aspects_are_told_apart),
        cmocka_unit_test(components_are_four_connected),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, make_scorer, drop_scorer);
}
