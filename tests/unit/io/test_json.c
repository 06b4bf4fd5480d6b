/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/json/build.h"
#include "io/json/read.h"
#include "temporary_folder.h"

static json_t *document;
static pld_json top;
static pld_error error;

static int parse_example(void **state) {
    (void)state;
    static const char text[] =
        "{\"int\": 8, \"real\": 0.5, \"whole_real\": 8.0, \"text\": \"eps\", \"yes\": true, \"nothing\": "
        "null,"
        "\"inf\": \"inf\", \"minus\": \"-inf\", \"nan\": \"nan\", \"ints\": [5, 10, 20, 20], \"mixed\": [1, "
        "\"a\"],"
        "\"flags\": [true, false], \"names\": [\"a\", \"b\"], \"numbers\": [1, 0.25], \"empty\": [],"
        "\"inner\": {\"deep\": {\"size\": -3}}, \"big\": 9223372036854775807}";
    memset(&error, 0, sizeof error);
    assert_int_equal(pld_json_parse(text, strlen(text), "config.json", &document, &error), PLD_OK);
    assert_int_equal(pld_json_top(document, "config.json", &top, &error), PLD_OK);
    return 0;
}

static int drop_example(void **state) {
    (void)state;
    json_decref(document);
    document = NULL;
    return 0;
}

static void values_are_read(void **state) {
    (void)state;
    const char *text = NULL;
    int64_t integer = 0;
    double number = 0;
    bool flag = false;
    assert_int_equal(pld_json_get_string(&top, "text", PLD_JSON_REQUIRED, &text, &error), PLD_OK);
    assert_string_equal(text, "eps");
    assert_int_equal(pld_json_get_integer(&top, "int", PLD_JSON_REQUIRED, 1, 8, &integer, &error), PLD_OK);
    assert_int_equal(integer, 8);
    assert_int_equal(
        pld_json_get_integer(&top, "big", PLD_JSON_REQUIRED, INT64_MIN, INT64_MAX, &integer, &error), PLD_OK);
    assert_true(integer == INT64_MAX);
    assert_int_equal(pld_json_get_number(&top, "real", PLD_JSON_REQUIRED, &number, &error), PLD_OK);
    assert_true(number == 0.5);
    assert_int_equal(pld_json_get_number(&top, "int", PLD_JSON_REQUIRED, &number, &error), PLD_OK);
    assert_true(number == 8);
    assert_int_equal(pld_json_get_number_or_infinity(&top, "minus", PLD_JSON_REQUIRED, &number, &error),
                     PLD_OK);
    assert_true(number == -INFINITY);
    assert_int_equal(pld_json_get_bool(&top, "yes", PLD_JSON_REQUIRED, &flag, &error), PLD_OK);
    assert_true(flag);
    pld_json inner;
    assert_int_equal(pld_json_object(&top, "inner", PLD_JSON_REQUIRED, &inner, &error), PLD_OK);
    assert_int_equal(pld_json_object(&inner, "deep", PLD_JSON_REQUIRED, &inner, &error), PLD_OK);
    assert_int_equal(pld_json_get_integer(&inner, "size", PLD_JSON_REQUIRED, -5, 5, &integer, &error),
                     PLD_OK);
    assert_int_equal(integer, -3);
}

static void lists_are_read(void **state) {
    (void)state;
    int64_t integers[4] = {0};
    double numbers[4] = {0};
    const char *texts[4] = {0};
    bool flags[2] = {0};
    size_t count = 99;
    assert_int_equal(
        pld_json_get_integers(&top, "ints", PLD_JSON_REQUIRED, 1, 99, 4, integers, &count, &error), PLD_OK);
    assert_int_equal(count, 4);
    assert_int_equal(integers[1], 10);
    assert_int_equal(pld_json_get_numbers(&top, "numbers", PLD_JSON_REQUIRED, 4, numbers, &count, &error),
                     PLD_OK);
    assert_true(count == 2 && numbers[1] == 0.25);
    assert_int_equal(pld_json_get_strings(&top, "names", PLD_JSON_REQUIRED, 4, texts, &count, &error),
                     PLD_OK);
    assert_string_equal(texts[1], "b");
    assert_int_equal(pld_json_get_strings(&top, "empty", PLD_JSON_REQUIRED, 4, texts, &count, &error),
                     PLD_OK);
    assert_int_equal(count, 0);
    assert_int_equal(pld_json_get_integer_or_list(&top, "int", PLD_JSON_REQUIRED, 0, 99, 4, integers, &error),
                     PLD_OK);
    assert_true(integers[0] == 8 && integers[3] == 8);
    assert_int_equal(
        pld_json_get_integer_or_list(&top, "ints", PLD_JSON_REQUIRED, 0, 99, 4, integers, &error), PLD_OK);
    assert_int_equal(integers[3], 20);
    assert_int_equal(pld_json_get_bool_or_list(&top, "flags", PLD_JSON_REQUIRED, 2, flags, &error), PLD_OK);
    assert_true(flags[0] && !flags[1]);
    assert_int_equal(pld_json_get_bool_or_list(&top, "yes", PLD_JSON_REQUIRED, 2, flags, &error), PLD_OK);
    assert_true(flags[1]);
}

static void absence_keeps_the_default_and_null_where_allowed(void **state) {
    (void)state;
    int64_t integer = 42;
    double number = 1.5;
    const char *text = "default";
    bool flag = true;
    size_t count = 7;
    pld_json child;
    static const struct {
        const char *field;
        pld_json_need need;
    } cases[] = {
        {"absent", PLD_JSON_OPTIONAL}, {"absent", PLD_JSON_NULLABLE}, {"nothing", PLD_JSON_NULLABLE}};
    for (int i = 0; i < 3; i++) {
        const char *field = cases[i].field;
        const pld_json_need need = cases[i].need;
        assert_false(pld_json_has(&top, field));
        assert_int_equal(pld_json_get_integer(&top, field, need, 0, 9, &integer, &error), PLD_OK);
        assert_int_equal(pld_json_get_number(&top, field, need, &number, &error), PLD_OK);
        assert_int_equal(pld_json_get_string(&top, field, need, &text, &error), PLD_OK);
        assert_int_equal(pld_json_get_bool(&top, field, need, &flag, &error), PLD_OK);
        assert_int_equal(pld_json_get_numbers(&top, field, need, 1, &number, &count, &error), PLD_OK);
        assert_int_equal(pld_json_object(&top, field, need, &child, &error), PLD_OK);
        assert_null(child.value);
        assert_int_equal(pld_json_get_bool(&top, field, PLD_JSON_REQUIRED, &flag, &error), PLD_ERROR_FORMAT);
    }
    assert_true(integer == 42 && number == 1.5 && strcmp(text, "default") == 0 && flag && count == 7);
    assert_string_equal(error.message, "config.json: field 'nothing': expected true or false, found null");
    assert_true(pld_json_is_null(&top, "nothing") && !pld_json_is_null(&top, "absent"));
    assert_int_equal(pld_json_get_flag(&top, "absent", &flag, &error), PLD_OK);
    assert_true(flag);
    assert_int_equal(pld_json_get_flag(&top, "nothing", &flag, &error), PLD_OK);
    assert_false(flag);
    assert_int_equal(pld_json_get_flag(&top, "int", &flag, &error), PLD_ERROR_FORMAT);
}

static void wrong_types_name_field_and_value(void **state) {
    (void)state;
    int64_t integers[4];
    double number = 0;
    const char *text = NULL;
    bool flag = false;
    size_t count = 0;
    pld_json child;
#define REFUSED(call, text)                                                                                  \
    assert_int_equal((call), PLD_ERROR_FORMAT);                                                              \
    assert_string_equal(error.message, "config.json: " text)
    REFUSED(pld_json_get_integer(&top, "whole_real", PLD_JSON_OPTIONAL, 1, 9, integers, &error),
            "field 'whole_real': expected a whole number from 1 to 9, found 8");
    REFUSED(pld_json_get_integer(&top, "int", PLD_JSON_OPTIONAL, 9, 99, integers, &error),
            "field 'int': expected a whole number from 9 to 99, found 8");
    REFUSED(pld_json_get_integer(&top, "int", PLD_JSON_OPTIONAL, 1, 1, integers, &error),
            "field 'int': expected 1, found 8");
    REFUSED(pld_json_get_integer(&top, "text", PLD_JSON_OPTIONAL, INT64_MIN, INT64_MAX, integers, &error),
            "field 'text': expected a whole number, found the string 'eps'");
    REFUSED(pld_json_get_integer(&top, "nothing", PLD_JSON_OPTIONAL, 1, 9, integers, &error),
            "field 'nothing': expected a whole number from 1 to 9, found null");
    REFUSED(pld_json_get_integer_or_list(&top, "nothing", PLD_JSON_OPTIONAL, 0, 9, 3, integers, &error),
            "field 'nothing': expected a whole number from 0 to 9, found null");
    REFUSED(pld_json_get_number(&top, "nothing", PLD_JSON_OPTIONAL, &number, &error),
            "field 'nothing': expected a number, found null");
    REFUSED(pld_json_get_string(&top, "nothing", PLD_JSON_OPTIONAL, &text, &error),
            "field 'nothing': expected a string, found null");
    REFUSED(pld_json_object(&top, "nothing", PLD_JSON_OPTIONAL, &child, &error),
            "field 'nothing': expected an object { … }, found null");
    REFUSED(pld_json_get_strings(&top, "nothing", PLD_JSON_REQUIRED, 3, &text, &count, &error),
            "field 'nothing': expected a list [ … ], found null");
    REFUSED(pld_json_get_number(&top, "yes", PLD_JSON_OPTIONAL, &number, &error),
            "field 'yes': expected a number, found true");
    REFUSED(pld_json_get_number(&top, "inf", PLD_JSON_OPTIONAL, &number, &error),
            "field 'inf': expected a number, found the string 'inf'");
    REFUSED(pld_json_get_number_or_infinity(&top, "nan", PLD_JSON_OPTIONAL, &number, &error),
            "field 'nan': expected a number, \"inf\" or \"-inf\", found the string 'nan'");
    REFUSED(pld_json_get_string(&top, "real", PLD_JSON_OPTIONAL, &text, &error),
            "field 'real': expected a string, found 0.5");
    REFUSED(pld_json_get_bool(&top, "inner", PLD_JSON_OPTIONAL, &flag, &error),
            "field 'inner': expected true or false, found an object");
    REFUSED(pld_json_object(&top, "ints", PLD_JSON_OPTIONAL, &child, &error),
            "field 'ints': expected an object { … }, found a list of 4");
    REFUSED(pld_json_get_integers(&top, "ints", PLD_JSON_OPTIONAL, 0, 99, 3, integers, &count, &error),
            "field 'ints': expected a list of at most 3, found a list of 4");
    REFUSED(pld_json_get_integers(&top, "mixed", PLD_JSON_OPTIONAL, 0, 99, 3, integers, &count, &error),
            "field 'mixed[1]': expected a whole number from 0 to 99, found the string 'a'");
    REFUSED(pld_json_get_integer_or_list(&top, "ints", PLD_JSON_OPTIONAL, 0, 99, 3, integers, &error),
            "field 'ints': expected a list of 3, found a list of 4");
    REFUSED(pld_json_get_strings(&top, "int", PLD_JSON_OPTIONAL, 3, &text, &count, &error),
            "field 'int': expected a list [ … ], found 8");
    assert_int_equal(pld_json_object(&top, "inner", PLD_JSON_OPTIONAL, &child, &error), PLD_OK);
    REFUSED(pld_json_get_string(&child, "deep", PLD_JSON_OPTIONAL, &text, &error),
            "field 'inner.deep': expected a string, found an object");
#undef REFUSED
}

static void malformed_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "not valid JSON"},
        {"{", "line 1, column 1: not valid JSON"},
        {"{\n \"a\": 1,\n}", "line 3"},
        {"{\"a\": 1, \"a\": 2}", "duplicate object key"},
        {"{\"a\": NaN}", "line 1: found NaN, which JSON does not have"},
        {"{\n\"a\": -Infinity}", "line 2: found Infinity, which JSON does not have"},
        {"{\"a\": 1e999}", "real number overflow"},
        {"{\"a\": 99999999999999999999}", "too big integer"},
        {"{\"a\": \"\xff\"}", "unable to decode byte"},
        {"{\"a\": \"\\ud800\"}", "Unicode"},
        {"{\"a\": 'b'}", "not valid JSON"},
        {"{\"a\": \"b\\u0000\"}", "column 15: expected text, found the character \\u0000 in it"},
        {"{} {}", "end of file expected"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
         "expected JSON, found a Git LFS pointer"},
        {"<!DOCTYPE html>", "found a web page"},
        {"\xff\xfe{\0}\0", "not valid JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *parsed = NULL;
        pld_status status = pld_json_parse(cases[i].text, strlen(cases[i].text), "x.json", &parsed, &error);
        if (!strstr(error.message, cases[i].message)) {
            print_error("%s\n", error.message);
        }
        assert_int_equal(status, PLD_ERROR_FORMAT);
        assert_null(parsed);
        assert_non_null(strstr(error.message, cases[i].message));
        assert_ptr_equal(strstr(error.message, "x.json: "), error.message);
    }
    json_t *parsed = NULL;
    assert_int_equal(pld_json_parse("[1]", 3, "x.json", &parsed, &error), PLD_OK);
    pld_json list;
    assert_int_equal(pld_json_top(parsed, "x.json", &list, &error), PLD_ERROR_FORMAT);
    assert_string_equal(error.message, "x.json: expected an object { … }, found a list of 1");
    json_decref(parsed);
}

static void brackets_in_strings_are_text(void **state) {
    (void)state;
    char text[400] = "\xef\xbb\xbf[\"\\\"NaN";
    memset(text + strlen(text), '[', 300);
    strcat(text, "\\\\\"]");
    json_t *parsed = NULL;
    assert_int_equal(pld_json_parse(text, strlen(text), "x.json", &parsed, &error), PLD_OK);
    assert_int_equal(json_string_length(json_array_get(parsed, 0)), 305);
    json_decref(parsed);
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char text[4096];
    json_t *parsed = NULL;
    memset(text, '[', PLD_JSON_DEPTH);
    memset(text + PLD_JSON_DEPTH, ']', PLD_JSON_DEPTH);
    assert_int_equal(pld_json_parse(text, 2 * PLD_JSON_DEPTH, "x.json", &parsed, &error), PLD_OK);
    json_decref(parsed);
    memset(text, '[', sizeof text);
    assert_int_equal(pld_json_parse(text, sizeof text, "x.json", &parsed, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "nested in each other"));
}

static void long_paths_are_cut(void **state) {
    (void)state;
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    pld_json child;
    assert_int_equal(pld_json_field(&top, name, PLD_JSON_OPTIONAL, &child, &error), PLD_OK);
    assert_int_equal(strlen(child.path), PLD_JSON_PATH_BYTES - 1);
    assert_string_equal(child.path + PLD_JSON_PATH_BYTES - 4, "...");
}

static void files_are_bounded(void **state) {
    (void)state;
    json_t *parsed = NULL;
    const char *path = write_text("small.json", "{\"a\": 1}");
    assert_int_equal(pld_json_load(path, 0, &parsed, &error), PLD_OK);
    json_decref(parsed);
    assert_int_equal(pld_json_load(path, 7, &parsed, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "at most 7 bytes, found 8"));
    assert_int_equal(pld_json_load(in_folder("absent.json"), 0, &parsed, &error), PLD_ERROR_MISSING);
    assert_int_equal(pld_json_load(temporary_folder, 0, &parsed, &error), PLD_ERROR_IO);
    assert_int_equal(pld_json_load(write_text("empty.json", ""), 0, &parsed, &error), PLD_ERROR_FORMAT);
    /* a string of ten million bytes is data like any other; more than the limit is not read */
    size_t size = 20 << 20;
    char *text = calloc(size, 1);
    if (!text) {
        fail();
        return;
    }
    memset(text, 'x', size);
    memcpy(text, "[\"", 2);
    memcpy(text + (10 << 20), "\"]", 2);
    path = write_bytes("long.json", text, (10 << 20) + 2);
    assert_int_equal(pld_json_load(path, 0, &parsed, &error), PLD_OK);
    assert_int_equal(json_string_length(json_array_get(parsed, 0)), (10 << 20) - 2);
    json_decref(parsed);
    path = write_bytes("long.json", text, size);
    assert_int_equal(pld_json_load(path, 0, &parsed, &error), PLD_ERROR_FORMAT);
    free(text);
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    const char *path = write_text("memory.json", "{\"a\": 1}");
    pld_status status = PLD_ERROR_MEMORY;
    for (long countdown = 0; status != PLD_OK && countdown < 20; countdown++) {
        json_t *parsed = NULL;
        pld_inject_allocation_failure(countdown);
        status = pld_json_load(path, 0, &parsed, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !parsed));
        json_decref(parsed);
    }
    assert_int_equal(status, PLD_OK);
}

/* jansson's own allocations, of which one fails. */
static long until_failure = -1;

static void *failing_malloc(size_t size) {
    return until_failure >= 0 && until_failure-- == 0 ? NULL : malloc(size);
}

/** jansson's reader and writer drop bytes of a token or key for which memory is out, and go on. */
static void jansson_loses_nothing_in_silence(void **state) {
    (void)state;
    static const char text[] =
        "{\"a key that is longer than sixteen bytes\": [1.2345678901234567e-5, \"a text, \\u00e9 and more "
        "than that\"],"
        "\n\"short\": {\"another long key, which needs more room than the first one had\": true}}";
    json_t *whole = NULL;
    json_set_alloc_funcs(failing_malloc, free);
    assert_int_equal(pld_json_parse(text, strlen(text), "x", &whole, &error), PLD_OK);
    char *wanted = pld_json_dump(whole, JSON_COMPACT);
    assert_non_null(wanted);
    long refused = 0;
    pld_status status = PLD_ERROR_MEMORY;
    for (long n = 0; status != PLD_OK; n++) {
        json_t *parsed = NULL;
        until_failure = n;
        status = pld_json_parse(text, strlen(text), "x", &parsed, &error);
        until_failure = -1;
        assert_true(status == PLD_OK ? json_equal(parsed, whole) : status == PLD_ERROR_MEMORY && !parsed);
        json_decref(parsed);
        refused += status != PLD_OK;
    }
    assert_true(refused > 20);
    char *dumped = NULL;
    for (long n = 0; !dumped; n++) {
        until_failure = n;
        dumped = pld_json_dump(whole, JSON_COMPACT);
        until_failure = -1;
        assert_true(!dumped || strcmp(dumped, wanted) == 0);
    }
    pld_free(dumped);
    dumped = NULL;
    for (long n = 0; !dumped; n++) { /* the writer's own memory */
        pld_inject_allocation_failure(n);
        dumped = pld_json_dump(whole, JSON_COMPACT);
        pld_inject_allocation_failure(-1);
        assert_true(!dumped || strcmp(dumped, wanted) == 0);
    }
    pld_free(dumped);
    pld_free(wanted);
    json_decref(whole);
    json_set_alloc_funcs(malloc, free);
}

/** Where the buffer of a token must grow depends on how long it is: also for the quote at its end, behind which jansson
 * looks for one that was dropped. */
static void tokens_of_any_length_lose_nothing(void **state) {
    (void)state;
    enum { LONGEST = 150 };
    json_set_alloc_funcs(failing_malloc, free);
    for (int length = 1; length <= LONGEST; length++) {
        char text[LONGEST + 8];
        pld_status status = PLD_ERROR_MEMORY;
        snprintf(text, sizeof text, "[\"%0*d\"]", length, 0);
        for (long n = 0; status != PLD_OK; n++) {
            json_t *parsed = NULL;
            until_failure = n;
            status = pld_json_parse(text, strlen(text), "x", &parsed, &error);
            until_failure = -1;
            assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !parsed));
            assert_true(status != PLD_OK || json_string_length(json_array_get(parsed, 0)) == (size_t)length);
            json_decref(parsed);
        }
    }
    json_set_alloc_funcs(malloc, free);
}

static void a_failed_step_fails_the_document(void **state) {
    (void)state;
    json_set_alloc_funcs(failing_malloc, free);
    json_t *made = NULL;
    long n = 0;
    for (; !made; n++) {
        pld_json_builder builder = {0};
        until_failure = n;
        json_t *object = json_object(), *list = json_array();
        pld_json_append(&builder, list, json_string("one"));
        pld_json_append(&builder, list, json_integer(2));
        pld_json_put(&builder, object, "list", list);
        pld_json_put(&builder, object, "name", json_string("three"));
        made = pld_json_finish(&builder, object);
        until_failure = -1;
    }
    assert_true(n > 8);
    assert_int_equal(json_array_size(json_object_get(made, "list")), 2);
    assert_int_equal(json_object_size(made), 2);
    json_decref(made);
    json_set_alloc_funcs(malloc, free);
    pld_json_builder builder = {0};
    json_t *object = json_object();
    pld_json_put(&builder, object, "name", json_string("\xff"));
    assert_null(pld_json_finish(&builder, object));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_read, parse_example, drop_example),
        cmocka_unit_test_setup_teardown(lists_are_read, parse_example, drop_example),
        cmocka_unit_test_setup_teardown(absence_keeps_the_default_and_null_where_allowed, parse_example,
                                        drop_example),
        cmocka_unit_test_setup_teardown(wrong_types_name_field_and_value, parse_example, drop_example),
        cmocka_unit_test_setup_teardown(long_paths_are_cut, parse_example, drop_example),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(brackets_in_strings_are_text),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(files_are_bounded),
        cmocka_unit_test(every_refused_allocation_is_a_clean_error),
        cmocka_unit_test(jansson_loses_nothing_in_silence),
        cmocka_unit_test(tokens_of_any_length_lose_nothing),
        cmocka_unit_test(a_failed_step_fails_the_document),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
