/* SPDX-License-Identifier: Apache-2.0 */
/* Text files of people: marks, encodings and line ends of every system. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/memory.h"
#include "io/files/text_file.h"
#include "io/json/read.h"
#include "sampling/scheduler_config.h"
#include "temporary_folder.h"

static pld_error error;

/** A string literal with its zero bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

typedef struct example {
    const char *bytes;
    size_t size;
    const char *text;
} example;

static void every_form_becomes_plain_utf_8(void **state) {
    (void)state;
    static const example examples[] = {
        {BYTES(""), ""},
        {BYTES("a\nb"), "a\nb"},
        {BYTES("caf\xe9"), "caf\xe9"}, /* no UTF-8: its reader says what it thinks of it */
        {BYTES("\xef\xbb\xbf"), ""},
        {BYTES("\xef\xbb\xbf"
               "a\xef\xbb\xbf"),
         "a\xef\xbb\xbf"},
        {BYTES("a\r\nb\r\n"), "a\nb\n"},
        {BYTES("a\rb\r"), "a\nb\n"},
        {BYTES("a\r\r\nb\n\r"), "a\n\nb\n\n"},
        {BYTES("\xef\xbb\xbf"
               "a\r\n\xef\xbb\xbf"
               "b"),
         "a\nb"}, /* two files joined */
        {BYTES("\xff\xfe"), ""},
        {BYTES("\xff\xfe"
               "a\0\r\0\n\0\x72\xd0"),
         "a\n\xed\x81\xb2"},
        {BYTES("\xfe\xff\0a\0\r\x72\xd0\xd8\x3e\xdd\x8a"), "a\n\xe7\x8b\x90\xf0\x9f\xa6\x8a"},
        {BYTES("\xff\xfe\0\0a\0\0\0\x8a\xf9\1\0"), "a\xf0\x9f\xa6\x8a"},
        {BYTES("\0\0\xfe\xff\0\0\0a\0\0\0\r"), "a\n"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *text = NULL;
        size_t length = 0;
        assert_int_equal(
            pld_text_file_decode(examples[i].bytes, examples[i].size, "x.txt", &text, &length, &error),
            PLD_OK);
        assert_string_equal(text, examples[i].text);
        assert_int_equal(length, strlen(examples[i].text));
        pld_free(text);
    }
}

static void what_is_no_text_is_refused_by_name(void **state) {
    (void)state;
    static const example examples[] = {
        {BYTES("a\r\nb\0c"), "x.txt: line 2: found a zero byte, expected text"},
        {BYTES("a\0b\0"), "line 1: found a zero byte"}, /* UTF-16 without a mark */
        {BYTES("\xff\xfe"
               "a\0b"),
         "x.txt: byte 4: expected UTF-16"},
        {BYTES("\xff\xfe\x3e\xd8"), "byte 2: expected UTF-16"},
        {BYTES("\xff\xfe\x3e\xd8"
               "a\0"),
         "byte 2: expected UTF-16"},
        {BYTES("\xff\xfe\x8a\xdd"), "byte 2: expected UTF-16"},
        {BYTES("\xff\xfe\0\0\0\0\x11\0"), "byte 4: expected UTF-32"},
        {BYTES("\xff\xfe\0\0\0\xd8\0\0"), "byte 4: expected UTF-32"},
        {BYTES("\xff\xfe"
               "a\0\0\0"),
         "line 1: found a zero byte"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        char *text = NULL;
        size_t length = 0;
        assert_int_equal(
            pld_text_file_decode(examples[i].bytes, examples[i].size, "x.txt", &text, &length, &error),
            PLD_ERROR_FORMAT);
        assert_null(text);
        if (!strstr(error.message, examples[i].text)) {
            fail_msg("'%s' does not say '%s'", error.message, examples[i].text);
        }
    }
}

/** JSON of every reader. */
static void json_may_have_marks(void **state) {
    (void)state;
    static const example documents[] = {
        {BYTES("\xef\xbb\xbf{\"steps_offset\": 1}"), ""},
        {BYTES("\xff\xfe{\0\"\0s\0t\0e\0p\0s\0_\0o\0f\0f\0s\0e\0t\0\"\0:\0001\0}\0"), ""},
        {BYTES("{\r\"steps_offset\":\r1}\r"), ""},
    };
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        const char *path = write_bytes("config.json", documents[i].bytes, documents[i].size);
        json_t *document = NULL;
        assert_int_equal(pld_json_load(path, 0, &document, &error), PLD_OK);
        assert_int_equal(json_integer_value(json_object_get(document, "steps_offset")), 1);
        json_decref(document);
        pld_scheduler_config stated = {0};
        assert_int_equal(pld_scheduler_config_load(path, NULL, &stated, &error), PLD_OK);
    }
    const char *path = write_bytes("config.json", BYTES("{\"a\": 1}\0{\"b\": 2}"));
    json_t *document = NULL;
    assert_int_equal(pld_json_load(path, 0, &document, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "line 1: found a zero byte"));
}

static void limits_and_memory_are_said(void **state) {
    (void)state;
    char *text = NULL;
    size_t length = 0;
    const char *path = write_bytes("a.txt", BYTES("12345678"));
    assert_int_equal(pld_text_file_read(path, 7, &text, &length, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "a.txt: expected text of at most 7 bytes, found 8 bytes"));
    assert_int_equal(pld_text_file_read(in_folder("absent"), 7, &text, &length, &error), PLD_ERROR_MISSING);
    assert_int_equal(pld_text_file_read(temporary_folder, 7, &text, &length, &error), PLD_ERROR_IO);
    pld_status status = PLD_ERROR_MEMORY;
    for (long countdown = 0; status != PLD_OK && countdown < 20; countdown++) {
        pld_inject_allocation_failure(countdown);
        status = pld_text_file_read(path, 8, &text, &length, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !text));
    }
    assert_int_equal(status, PLD_OK);
    assert_string_equal(text, "12345678");
    pld_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_becomes_plain_utf_8),
        cmocka_unit_test(what_is_no_text_is_refused_by_name),
        cmocka_unit_test(json_may_have_marks),
        cmocka_unit_test(limits_and_memory_are_said),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
