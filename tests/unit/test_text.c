/* SPDX-License-Identifier: Apache-2.0 */
/* Labels in pictures: any bytes can be drawn, letters are told apart, lines break where they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canvas.h"
#include "text.h"

/** Ink of a picture: a checksum of its dark pixels, 0 for none. */
static uint64_t ink(const char *text) {
    pld_image image;
    assert_true(canvas_create(&image, 64, 32, "test"));
    text_draw(&image, text, 4, 4, 2, canvas_black);
    uint64_t sum = 0;
    for (size_t i = 0; i < (size_t)(64 * 32 * 3); i++) {
        sum = sum * 31 + (image.pixels[i] != 255);
    }
    canvas_free(&image);
    return sum;
}

static void test_letters_differ(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "b", "i", "í", "ï", "I", "Í", "e", "é", "è",
                                          "ê", "λ", "Λ", "α", "σ", "ς", "μ", "γ", "→", "≤",
                                          "≥", "±", "ß", "ø", "o", "ö", "ő", "ç"};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        assert_true(ink(letters[i]) != ink(" "));
        for (size_t j = 0; j < i; j++) {
            assert_true(ink(letters[i]) != ink(letters[j]));
        }
    }
}

static void test_one_spelling(void **state) {
    (void)state;
    assert_int_equal(ink("é"), ink("e\xcc\x81")); /* composed, and letter with combining acute */
    assert_int_equal(ink("漢"), ink("字"));       /* both are the box */
    assert_int_equal(ink("\xff"), ink("\xef\xbf\xbd"));
    assert_true(ink("漢") != ink(" "));
    assert_int_equal(ink("a\xe2\x80\x8d"), ink("a")); /* a joiner takes no room */
}

static void test_widths(void **state) {
    (void)state;
    assert_int_equal(text_width("", 2), 0);
    assert_int_equal(text_width("a", 2), 2 * FONT_WIDTH);
    assert_int_equal(text_width("aé", 1), FONT_ADVANCE + FONT_WIDTH);
    assert_int_equal(text_width("漢字", 1), FONT_ADVANCE + FONT_WIDTH);
}

static void test_wrap(void **state) {
    (void)state;
    text_block block;
    text_wrap("one two three", 7 * FONT_ADVANCE, 1, 3, &block);
    assert_int_equal(block.lines, 2);
    assert_int_equal(block.end[0], 7);
    assert_int_equal(block.begin[1], 8);
    text_wrap("one two three four", 7 * FONT_ADVANCE, 1, 2, &block); /* "three four" does not fit: dots */
    assert_int_equal(block.lines, 2);
    assert_int_equal(block.letters[block.end[1] - 1].character, '.');
    text_wrap("unbreakable", 4 * FONT_ADVANCE, 1, 8, &block);
    assert_int_equal(block.lines, 3);
    text_wrap("", 100, 1, 3, &block);
    assert_int_equal(block.lines, 0);
    text_wrap("any", 0, 1, 3, &block); /* no room: a letter a line rather than none */
    assert_int_equal(block.lines, 3);
}

/** Whatever bytes come, at whatever place. */
static void test_any_bytes(void **state) {
    (void)state;
    char text[1200];
    uint32_t random = 1;
    pld_image image;
    assert_true(canvas_create(&image, 50, 20, "test"));
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(random >> 24 == 0 ? 1 : random >> 24);
        }
        text[sizeof text - 1] = '\0';
        text_draw(&image, text, (int)(random % 100) - 50, (int)(random / 100 % 60) - 30, 1 + round % 5,
                  canvas_black);
        assert_true(text_width(text, 1) >= 0);
    }
    canvas_free(&image);
}

static void test_canvas(void **state) {
    (void)state;
    pld_image image;
    assert_true(canvas_create(&image, 4, 4, "test"));
    canvas_fill(&image, -5, -5, 6, 6, canvas_black); /* only (0, 0) is inside */
    canvas_line(&image, 3, 0, 3, 9, canvas_grey);
    assert_int_equal(image.pixels[0], canvas_black.rgb[0]);
    assert_int_equal(image.pixels[3], 255);
    assert_int_equal(image.pixels[3 * 15], canvas_grey.rgb[0]);
    canvas_free(&image);
    assert_false(canvas_create(&image, 1 << 20, 4, "test"));
    assert_false(canvas_create(&image, 0, 4, "test"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_differ), cmocka_unit_test(test_one_spelling),
        cmocka_unit_test(test_widths),         cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_any_bytes),      cmocka_unit_test(test_canvas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
