/* SPDX-License-Identifier: Apache-2.0 */
/* How pictures are turned: EXIF and XMP in every form, against Pillow (tools/reference/orientation_cases.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/memory.h"
#include "io/pictures/exif.h"
#include "io/pictures/png.h"
#include "io/pictures/turn.h"

/** Bytes from hexadecimal digits; the caller frees them. */
static uint8_t *from_hex(const char *digits, size_t *size) {
    *size = strlen(digits) / 2;
    uint8_t *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < *size; i++) {
        const char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtol(pair, NULL, 16);
    }
    return bytes;
}

static void compare(const json_t *row) {
    const char *name = json_string_value(json_object_get(row, "name"));
    size_t size = 0, rgb_size = 0;
    uint8_t *png = from_hex(json_string_value(json_object_get(row, "png")), &size);
    uint8_t *rgb = from_hex(json_string_value(json_object_get(row, "rgb")), &rgb_size);
    pld_png_picture picture;
    pld_error error = {0};
    if (pld_png_decode(png, size, name, &picture, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    if (picture.width != json_integer_value(json_object_get(row, "width")) ||
        picture.height != json_integer_value(json_object_get(row, "height")) ||
        memcmp(picture.rgb, rgb, rgb_size) != 0) {
        fail_msg("%s: not as Pillow turns it", name);
    }
    pld_png_picture_free(&picture);
    free(png);
    free(rgb);
}

static void pictures_are_turned_as_pillow_turns_them(void **state) {
    (void)state;
    json_t *rows = json_load_file(PLADIS_TEST_DATA "/orientation.json", 0, NULL);
    assert_true(json_array_size(rows) > 80);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        compare(json_array_get(rows, i));
    }
    json_decref(rows);
}

static void a_turn_without_memory_changes_nothing(void **state) {
    (void)state;
    int width = 3, height = 2;
    uint8_t *rgb = pld_allocate(6, 3), *before = rgb;
    pld_inject_allocation_failure(0);
    assert_false(pld_picture_turn(&rgb, &width, &height, 6));
    pld_inject_allocation_failure(-1);
    assert_true(rgb == before && width == 3 && height == 2);
    pld_free(rgb);
}

/** A record whose folder holds a UserComment of these bytes. */
static size_t make_comment(uint8_t record[128], const char *comment, size_t size) {
    static const uint8_t head[] = {
        'M', 'M', 0,    '*',  0, 0, 0, 8, /* the first folder: where the other is */
        0,   1,   0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0,
        0,   1,   0x92, 0x86, 0, 7, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0, 0};
    memcpy(record, head, sizeof head);
    record[26 + 9] = (uint8_t)size;
    memcpy(record + 44, comment, size);
    return 44 + size;
}

static void comments_are_read_in_every_form(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"UNICODE\0\0a\0 \x72\xd0\xd8\x3e\xdd\x8a", 18, "a \xe7\x8b\x90\xf0\x9f\xa6\x8a"},
        {"UNICODE\0a\0 \0\xd0\x72", 14, "a \xe7\x8b\x90"},
        {"ASCII\0\0\0Steps: 3", 16, "Steps: 3"},
        {"\0\0\0\0\0\0\0\0caf\xc3\xa9", 13, "caf\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t record[128];
        const size_t size = make_comment(record, cases[i].bytes, cases[i].size);
        const pld_exif exif = pld_exif_read(record, size);
        assert_non_null(exif.comment);
        char *text = pld_exif_comment_text(&exif);
        assert_string_equal(text, cases[i].text);
        pld_free(text);
        assert_null(pld_exif_read(record, size - 1).comment);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_turned_as_pillow_turns_them),
        cmocka_unit_test(a_turn_without_memory_changes_nothing),
        cmocka_unit_test(comments_are_read_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
