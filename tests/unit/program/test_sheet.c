/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of pictures: every word finds room beside pictures of any size, nothing overlaps, what cannot be
 * drawn is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pages/sheet_layout.h"
#include "terminal/message.h"

enum { ROWS = 2, COLUMNS = 3, CELLS = ROWS * COLUMNS };

static typeface *face;
static pld_image images[CELLS];
static sheet_cell cells[CELLS];
static const char *const heads[COLUMNS] = {"α = 1.25", "sampling-method", "difference from the first × 4"};
static const char *const rows[ROWS] = {"a large red star above a small blue ring",
                                       "an indistinguishable one"};

static int open_face(void **state) {
    (void)state;
    face = typeface_open();
    return face != NULL ? 0 : -1;
}

static int close_face(void **state) {
    (void)state;
    typeface_close(&face);
    return 0;
}

/** A page of pictures of so many pixels, the first column's half as wide. */
static sheet_page make_page(int width, int height) {
    for (int i = 0; i < CELLS; i++) {
        canvas_free(&images[i]);
        assert_true(canvas_create(&images[i], (size_t)(i % COLUMNS == 0 ? (width + 1) / 2 : width),
                                  (size_t)height, "test"));
        canvas_fill(&images[i], 0, 0, width, height, canvas_wrong);
        cells[i] = (sheet_cell){
            .image = &images[i], .note = i == 4 ? "unmistakably wrong" : "right", .mark = SHEET_RIGHT};
    }
    return (sheet_page){.title = "an orange cross and a brown ring",
                        .subtitle = "demo, seed 42",
                        .footnote = "a footnote",
                        .column_heads = heads,
                        .row_heads = rows,
                        .cells = cells,
                        .rows = ROWS,
                        .columns = COLUMNS,
                        .zoom = 1};
}

static void free_images(void) {
    for (int i = 0; i < CELLS; i++) {
        canvas_free(&images[i]);
    }
}

/** Columns are as wide as their pictures and their longest words, and stand apart. */
static void words_have_room(void **state) {
    (void)state;
    for (int size = 16; size <= 1024; size *= 4) {
        sheet_layout layout;
        const sheet_page page = make_page(size, size);
        assert_true(sheet_layout_make(face, &page, "test", &layout));
        for (int i = 0; i < COLUMNS; i++) {
            assert_true(layout.widths[i] >= images[i].width);
            assert_true(layout.widths[i] >= text_longest_word(face, &layout.styles.head, heads[i]));
            assert_true(i == 0 || layout.lefts[i] >= layout.lefts[i - 1] + layout.widths[i - 1] + layout.gap);
        }
        assert_true(layout.widths[1] >= text_longest_word(face, &layout.styles.note, "unmistakably"));
        assert_true(layout.row_head_width >=
                    text_longest_word(face, &layout.styles.label, "indistinguishable"));
        assert_true(layout.margin + layout.row_head_width < layout.lefts[0]);
        assert_true(layout.tops[1] >= layout.tops[0] + size + text_line_height(face, &layout.styles.note));
        assert_true(layout.width >= layout.lefts[COLUMNS - 1] + layout.widths[COLUMNS - 1] + layout.margin);
        assert_true(layout.footnote_top > layout.tops[1] + size && layout.height > layout.footnote_top);
        sheet_layout_free(&layout);
    }
    free_images();
}

/** Type grows with the pictures. */
static void type_suits_pictures(void **state) {
    (void)state;
    int before = 0;
    for (int size = 64; size <= 2048; size *= 2) {
        sheet_layout layout;
        const sheet_page page = make_page(size, 8);
        assert_true(sheet_layout_make(face, &page, "test", &layout));
        assert_true(layout.styles.label.size >= 12 && layout.styles.label.size >= before);
        assert_true(layout.styles.title.size > layout.styles.label.size);
        before = layout.styles.label.size;
        sheet_layout_free(&layout);
    }
    assert_true(before > 24);
    free_images();
}

/** Pictures come unchanged onto the page, at their place. */
static void pictures_stay_whole(void **state) {
    (void)state;
    pld_image drawn;
    sheet_layout layout;
    sheet_page page = make_page(20, 12);
    page.zoom = 3;
    assert_true(sheet_layout_make(face, &page, "test", &layout));
    assert_int_equal(sheet_compose(&page, "test", &drawn), EXIT_DONE);
    assert_int_equal(drawn.width, layout.width);
    assert_int_equal(drawn.height, layout.height);
    for (int row = 0; row < ROWS; row++) {
        for (int y = 0; y < 36; y++) {
            for (int x = 0; x < 60; x++) {
                const size_t at =
                    (size_t)(layout.tops[row] + y) * (size_t)drawn.width + (size_t)(layout.lefts[1] + x);
                assert_memory_equal(drawn.pixels + 3 * at, canvas_wrong.rgb, 3);
            }
        }
    }
    canvas_free(&drawn);
    sheet_layout_free(&layout);
    free_images();
}

static void scale_colour(double part, canvas_colour *colour) {
    *colour = (canvas_colour){{(uint8_t)(255 * part), 0, 0}};
}

/** A bar of colours stands beside the row, brightest at the top, with room for its numbers. */
static void scales_stand_beside_rows(void **state) {
    (void)state;
    pld_image drawn;
    sheet_layout layout;
    sheet_page page = make_page(80, 64);
    page.scales = (const sheet_scale[ROWS]){{0.25, scale_colour}, {0, scale_colour}};
    page.scale_head = "share";
    assert_true(sheet_layout_make(face, &page, "test", &layout));
    assert_int_equal(sheet_compose(&page, "test", &drawn), EXIT_DONE);
    assert_true(layout.scale_left > layout.lefts[COLUMNS - 1] + layout.widths[COLUMNS - 1]);
    assert_true(layout.width - layout.scale_left - layout.scale_width > 4 * layout.styles.quiet.size);
    const uint8_t *top =
        drawn.pixels + 3 * ((size_t)layout.tops[0] * (size_t)drawn.width + (size_t)layout.scale_left);
    const uint8_t *none =
        drawn.pixels + 3 * ((size_t)(layout.tops[1] + 9) * (size_t)drawn.width + (size_t)layout.scale_left);
    assert_true(top[0] > 240 && top[1] == 0);
    assert_memory_equal(none, canvas_page.rgb, 3); /* nothing to measure: no bar */
    canvas_free(&drawn);
    sheet_layout_free(&layout);
    free_images();
}

/** What is found of a page whose pictures have no pixels yet is what it becomes, whatever is drawn: room is
 * left for the widest note. */
static void sizes_are_known_before_drawing(void **state) {
    (void)state;
    static const char *const notes[] = {"0 %, mean 0.0 of 255", "11 %, mean 1.1 of 255",
                                        "100 %, mean 255.0 of 255"};
    for (int size = 16; size <= 1024; size *= 4) {
        const sheet_page page = make_page(size, size);
        pld_image sizes[CELLS], drawn;
        size_t width = 0, height = 0;
        for (int i = 0; i < CELLS; i++) {
            sizes[i] = (pld_image){images[i].width, images[i].height, NULL};
            cells[i] = (sheet_cell){.image = &sizes[i], .widest = "444 %, mean 444.4 of 255"};
        }
        assert_int_equal(sheet_measure(&page, "test", &width, &height), EXIT_DONE);
        assert_int_equal(sheet_compose(&page, "test", NULL), EXIT_DONE);
        for (size_t n = 0; n < sizeof notes / sizeof *notes; n++) {
            for (int i = 0; i < CELLS; i++) {
                cells[i].image = &images[i];
                cells[i].note = notes[n];
            }
            assert_int_equal(sheet_compose(&page, "test", &drawn), EXIT_DONE);
            assert_int_equal(drawn.width, width);
            assert_int_equal(drawn.height, height);
            canvas_free(&drawn);
        }
    }
    free_images();
}

/** No figure is wider than the one that stands for all in the widest note. */
static void four_is_the_widest_figure(void **state) {
    (void)state;
    const sheet_page page = make_page(512, 512);
    sheet_layout layout;
    assert_true(sheet_layout_make(face, &page, "test", &layout));
    for (char figure = '0'; figure <= '9'; figure++) {
        const char text[] = {figure, '\0'};
        assert_true(text_width(face, &layout.styles.note, text) <=
                    text_width(face, &layout.styles.note, "4"));
    }
    sheet_layout_free(&layout);
    free_images();
}

/** Far too large is an error, not an overflow. */
static void giants_are_refused(void **state) {
    (void)state;
    enum { MANY = 40000 };
    pld_image drawn;
    sheet_cell *column = calloc(MANY, sizeof *column);
    assert_non_null(column);
    assert_true(canvas_create(&images[0], 8, 8192, "test"));
    for (int i = 0; i < MANY; i++) {
        column[i].image = &images[0];
    }
    const sheet_page page = {.cells = column, .rows = MANY, .columns = 1, .zoom = 16};
    assert_int_equal(sheet_compose(&page, "test", NULL), EXIT_USAGE); /* the command line asked for it */
    assert_int_equal(sheet_compose(&page, "test", &drawn), EXIT_FAILED);
    assert_null(drawn.pixels);
    free(column);
    canvas_free(&images[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_have_room),
        cmocka_unit_test(type_suits_pictures),
        cmocka_unit_test(pictures_stay_whole),
        cmocka_unit_test(scales_stand_beside_rows),
        cmocka_unit_test(sizes_are_known_before_drawing),
        cmocka_unit_test(four_is_the_widest_figure),
        cmocka_unit_test(giants_are_refused),
    };
    return cmocka_run_group_tests(tests, open_face, close_face);
}
