/* SPDX-License-Identifier: Apache-2.0 */
/* Labels in pictures: any bytes can be drawn, letters are told apart, marks stand where they belong, lines
 * break where they should. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canvas/canvas.h"
#include "canvas/letters.h"
#include "canvas/text.h"

enum { WIDTH = 96, HEIGHT = 48, LEFT = 8 };

static typeface *face;
static const text_style plain = {20, TYPEFACE_REGULAR, {{0, 0, 0}}},
                        strong = {20, TYPEFACE_STRONG, {{0, 0, 0}}};

static int open_face(void **state) {
    (void)state;
    face = typeface_open();
    return face != NULL ? 0 : -1;
}

static int close_face(void **state) {
    (void)state;
    typeface_close(&face);
    return face == NULL ? 0 : -1;
}

/** A drawing of `text`; free with canvas_free. */
static pld_image draw(const text_style *style, const char *text) {
    pld_image image;
    assert_true(canvas_create(&image, WIDTH, HEIGHT, "test"));
    text_draw(face, style, text, &image, LEFT, 8, TEXT_LEFT);
    assert_false(typeface_failed(face, "test"));
    return image;
}

/** Checksum of the drawing, 0 for none. */
static uint64_t ink(const char *text) {
    pld_image image = draw(&plain, text);
    uint64_t sum = 0;
    for (size_t i = 0; i < (size_t)(WIDTH * HEIGHT * 3); i++) {
        sum = sum * 31 + (uint64_t)(255 - image.pixels[i]);
    }
    canvas_free(&image);
    return sum;
}

/** First and last row and column with ink. */
typedef struct extent {
    int top, bottom, left, right;
} extent;

static extent extent_of(const char *text) {
    pld_image image = draw(&plain, text);
    extent e = {HEIGHT, -1, WIDTH, -1};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (image.pixels[3 * (y * WIDTH + x)] < 200) {
                e.top = y < e.top ? y : e.top;
                e.bottom = y > e.bottom ? y : e.bottom;
                e.left = x < e.left ? x : e.left;
                e.right = x > e.right ? x : e.right;
            }
        }
    }
    canvas_free(&image);
    return e;
}

static void letters_differ(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "b", "i", "í", "ï", "I", "Í", "e", "é", "è", "ê",
                                          "λ", "Λ", "α", "σ", "ς", "μ", "γ", "→", "≤", "≥", "±",
                                          "ß", "ø", "o", "ö", "ő", "ç", "ế", "ệ", "ư", "ж", "Я",
                                          "ё", "ώ", "ἄ", "×", "✓", "✗", "…", "–"};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
        assert_true(ink(letters[i]) != ink(" "));
        assert_true(ink(letters[i]) != ink("漢"));
        for (size_t j = 0; j < i; j++) {
            if (ink(letters[i]) == ink(letters[j])) {
                fail_msg("%s is drawn as %s", letters[i], letters[j]);
            }
        }
    }
}

static void one_spelling(void **state) {
    (void)state;
    assert_int_equal(ink("é"), ink("e\xcc\x81")); /* composed, and letter with combining acute */
    assert_int_equal(ink("ệ"), ink("e\xcc\xa3\xcc\x82"));
    assert_int_equal(ink("ệ"), ink("e\xcc\x82\xcc\xa3")); /* marks in the other order */
    assert_int_equal(ink("漢"), ink("字"));               /* both are the box */
    assert_int_equal(ink("\xff"), ink("\xef\xbf\xbd"));
    assert_int_equal(ink("a\xe2\x80\x8d"), ink("a")); /* a joiner takes no room */
    assert_int_equal(ink("a\tb\xc2\x85"), ink("a b"));
}

/** What a reader sees as one letter is one box: a family of four, a flag, a syllable of Hangul or Devanagari.
 */
static void unknown_letters_are_boxes(void **state) {
    (void)state;
    const char *const one[] = {"👨\xe2\x80\x8d👩\xe2\x80\x8d👧\xe2\x80\x8d👦", "🇩🇪", "한",
                               "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
        assert_true(fabs(text_width(face, &plain, one[i]) - plain.size) < 0.01); /* as wide as high */
    }
    assert_true(text_width(face, &plain, "कि") < 0.9 * plain.size);
    assert_true(fabs(text_width(face, &plain, "אב") - 2 * text_width(face, &plain, "א")) < 0.01);
    const extent box = extent_of("א"), capital = extent_of("H");
    assert_true(abs(box.bottom - capital.bottom) <= 1 && abs(box.top - capital.top) <= 1);
}

/** Marks that no composed letter has: centred, above a high letter higher than above a low one, one over the
 * other. */
static void marks_stand_on_letters(void **state) {
    (void)state;
    const extent x = extent_of("x"), x_hat = extent_of("x\xcc\x82"), h_hat = extent_of("H\xcc\x82");
    const extent twice = extent_of("x\xcc\x82\xcc\x84"), below = extent_of("x\xcc\xa3");
    const extent h = extent_of("H");
    assert_true(x_hat.top < x.top - 2 && x_hat.bottom == x.bottom);
    assert_true(h_hat.top < h.top - 2 && h_hat.top < x_hat.top);
    assert_true(twice.top < x_hat.top - 1);
    assert_true(below.bottom > x.bottom + 1 && below.top == x.top);
    assert_true(x_hat.left >= x.left - 1 && x_hat.right <= x.right + 1);
}

static void widths_follow_letters(void **state) {
    (void)state;
    const double i = text_width(face, &plain, "i"), m = text_width(face, &plain, "m");
    assert_true(text_width(face, &plain, "") == 0);
    assert_true(m > 2.5 * i);
    assert_true(text_width(face, &plain, "AV") <
                text_width(face, &plain, "A") + text_width(face, &plain, "V") - 0.5);
    assert_true(text_width(face, &strong, "mono") > text_width(face, &plain, "mono"));
    text_style twice = plain;
    twice.size *= 2;
    assert_true(fabs(text_width(face, &twice, "width") - 2 * text_width(face, &plain, "width")) < 0.2);
    assert_true(text_longest_word(face, &plain, "a longer word") == text_width(face, &plain, "longer"));
}

/** Edges are smooth, and dark on light they keep their weight. */
static void edges_are_smooth(void **state) {
    (void)state;
    pld_image image = draw(&plain, "o");
    size_t between = 0, full = 0;
    for (size_t i = 0; i < (size_t)(WIDTH * HEIGHT * 3); i += 3) {
        between += image.pixels[i] > 20 && image.pixels[i] < 235;
        full += image.pixels[i] <= 20;
    }
    canvas_free(&image);
    assert_true(between > 20 && full > 5);
    assert_true(canvas_create(&image, 1, 1, "test"));
    canvas_ink(&image, 0, 0, &(uint8_t){128}, 1, 1, (canvas_colour){{0, 0, 0}});
    assert_in_range(image.pixels[0], 176, 188); /* half the light, which is sRGB 180 to 188 */
    canvas_free(&image);
}

/** Line `line` of a block as text of ASCII; an ellipsis is a '~', what is no ASCII '?'. */
static void expect_line(const text_block *block, size_t line, const char *expected) {
    char text[TEXT_MOST_LETTERS + 3];
    size_t length = 0;
    assert_true(line < block->lines);
    for (size_t i = block->begin[line]; i < block->end[line]; i++) {
        const uint32_t base = block->letters[i].base;
        text[length++] = (char)(base == 0x2026 ? '~' : base < 0x80 ? (int)base : '?');
    }
    text[length] = '\0';
    assert_string_equal(text, expected);
}

static void lines_break_at_words(void **state) {
    (void)state;
    text_block block;
    const double room = text_width(face, &plain, "one two") + 1;
    text_wrap(face, &plain, "  one two   three", room, 3, &block);
    assert_int_equal(block.lines, 2);
    expect_line(&block, 0, "one two");
    expect_line(&block, 1, "three");
    assert_true(block.width <= room);
    text_wrap(face, &plain, "one two three four", room, 2, &block); /* "three four" does not fit */
    assert_int_equal(block.lines, 2);
    expect_line(&block, 1, "three~");
    text_wrap(face, &plain, "one unbreakable", text_width(face, &plain, "unbre") + 1, 8, &block);
    expect_line(&block, 0, "one");
    expect_line(&block, 1, "unbre");
    text_wrap(face, &plain, "seg:scale=3,sigma=inf", text_width(face, &plain, "seg:scale=3,sig") + 1, 8,
              &block);
    expect_line(&block, 0, "seg:scale=3,"); /* behind a sign, if it must be inside */
    text_wrap(face, &plain, "", 100, 3, &block);
    assert_int_equal(block.lines, 0);
    text_wrap(face, &plain, "any", 0, 3, &block); /* no room: a letter a line rather than none */
    assert_int_equal(block.lines, 3);
    text_wrap(face, &plain, "漢字漢字", 2.5 * plain.size, 3, &block); /* between ideographs */
    expect_line(&block, 0, "??");
    expect_line(&block, 1, "??");
}

/** What is longer than a block can hold says so. */
static void nothing_ends_in_silence(void **state) {
    (void)state;
    static char text[4 * TEXT_MOST_LETTERS];
    text_block block;
    memset(text, 'x', sizeof text - 1);
    text_wrap(face, &plain, text, 1e9, 1, &block);
    assert_int_equal(block.letters[block.end[0] - 1].base, 0x2026);
}

/** Whatever bytes come, at whatever place. */
static void any_bytes(void **state) {
    (void)state;
    char text[1200];
    uint32_t random = 1;
    pld_image image;
    assert_true(canvas_create(&image, 50, 20, "test"));
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (char)(random >> 24 == 0 ? 1 : random >> 24);
        }
        text[sizeof text - 1] = '\0';
        const text_style style = {6 + round % 40, (typeface_weight)(round % 2), {{9, 9, 9}}};
        text_draw(face, &style, text, &image, (double)(random % 100) - 50, (int)(random / 100 % 60) - 30,
                  TEXT_CENTRE);
        assert_true(text_width(face, &style, text) >= 0);
    }
    assert_false(typeface_failed(face, "test"));
    canvas_free(&image);
}

static void canvas_is_clipped(void **state) {
    (void)state;
    pld_image image;
    assert_true(canvas_create(&image, 4, 4, "test"));
    canvas_fill(&image, -5, -5, 6, 6, canvas_text); /* only (0, 0) is inside */
    assert_int_equal(image.pixels[0], canvas_text.rgb[0]);
    assert_int_equal(image.pixels[3], 255);
    canvas_free(&image);
    assert_false(canvas_create(&image, 1 << 20, 4, "test"));
    assert_false(canvas_create(&image, 0, 4, "test"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_differ),
        cmocka_unit_test(one_spelling),
        cmocka_unit_test(unknown_letters_are_boxes),
        cmocka_unit_test(marks_stand_on_letters),
        cmocka_unit_test(widths_follow_letters),
        cmocka_unit_test(edges_are_smooth),
        cmocka_unit_test(lines_break_at_words),
        cmocka_unit_test(nothing_ends_in_silence),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(canvas_is_clipped),
    };
    return cmocka_run_group_tests(tests, open_face, close_face);
}
