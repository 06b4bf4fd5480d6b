/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "text/prompt/weights.h"
#include "tokenizer_data.h"

/** One expected part. */
typedef struct expected_part {
    const char *text;
    double weight;
    bool is_break;
} expected_part;

static pld_prompt_parts parse(const char *text) {
    pld_prompt_parts parts = {0};
    pld_error error = {0};
    if (pld_prompt_parse(text, strlen(text), &parts, &error) != PLD_OK) {
        fail_msg("'%s': %s", text, error.message);
    }
    return parts;
}

static void expect(const char *text, const expected_part *expected, size_t count) {
    pld_prompt_parts parts = parse(text);
    assert_int_equal(parts.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(parts.parts[i].text, expected[i].text);
        assert_int_equal(parts.parts[i].length, strlen(expected[i].text));
        assert_int_equal(parts.parts[i].is_break, expected[i].is_break);
        assert_true(expected[i].is_break || parts.parts[i].weight == expected[i].weight);
    }
    pld_prompt_parts_free(&parts);
}

#define EXPECT(text, ...)                                                                                    \
    expect(text, (const expected_part[]){__VA_ARGS__},                                                       \
           sizeof((const expected_part[]){__VA_ARGS__}) / sizeof(expected_part))

/** The parts of every case of a file of tests/data/tokenizer; returns how many cases there are. */
static size_t expect_parts_of_file(const char *name) {
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data(name), &document);
    size_t index = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        pld_prompt_parts parts = parse(json_string_value(json_object_get(entry, "text")));
        const json_t *expected = json_object_get(entry, "parts");
        assert_int_equal(parts.count, json_array_size(expected));
        for (size_t i = 0; i < parts.count; i++) {
            const json_t *part = json_array_get(expected, i);
            const char *text = json_string_value(json_array_get(part, 0));
            assert_string_equal(parts.parts[i].text, text);
            assert_true(parts.parts[i].weight == json_number_value(json_array_get(part, 1)));
            assert_int_equal(parts.parts[i].is_break,
                             strcmp(text, "BREAK") == 0 && parts.parts[i].weight == -1);
        }
        pld_prompt_parts_free(&parts);
    }
    json_decref(document);
    return index;
}

static void reference_cases_agree_to_the_last_bit(void **state) {
    (void)state;
    assert_int_equal(expect_parts_of_file("weights.json"), 46);
}

/** The web UI's own parser: backslashes, BREAK in brackets, numbers, whatever the syntax has. */
static void parts_are_those_of_the_web_ui(void **state) {
    (void)state;
    assert_true(expect_parts_of_file("webui_cases.json") > 200);
}

static void numbers_that_are_none_are_text(void **state) {
    (void)state;
    EXPECT("(x:.)", {"x:.", 1.1, false});
    EXPECT("(x:1.2.3)", {"x:1.2.3", 1.1, false});
    EXPECT("(x:1e3)", {"x:1e3", 1.1, false});
    EXPECT("(x:--1)", {"x:--1", 1.1, false});
    EXPECT("(x:+)", {"x:+", 1.1, false});
    EXPECT("(x:nan)", {"x:nan", 1.1, false});
    EXPECT("(x:inf)", {"x:inf", 1.1, false});
    EXPECT("(x:1,5)", {"x:1,5", 1.1, false});
    EXPECT("(x:1.)", {"x", 1.0, false});
    EXPECT("(x:0)", {"x", 0.0, false});
    EXPECT("(x:000000000000000000000001.5)", {"x", 1.5, false});
    EXPECT("(x:0.1000000000000000055511151231257827)", {"x", 0.1, false});
    EXPECT("(x:\xEF\xBC\x91.\xEF\xBC\x95)", {"x", 1.5, false});         /* full-width digits */
    EXPECT("(x:\xF0\x9D\x9F\x99.\xF0\x9D\x9F\x9D)", {"x", 1.5, false}); /* mathematical double-struck */
    EXPECT("(x:\xD9\xA1)", {"x", 1.0, false});                          /* Arabic-Indic */
    EXPECT("(x:\xC2\xB2)", {"x:\xC2\xB2", 1.1, false});                 /* superscripts are no digits */
    EXPECT("(x:\xE3\x80\x80"
           "1.5\xC2\xA0)",
           {"x", 1.5, false}); /* ideographic and no-break space */
}

static void breaks_are_parts_of_their_own(void **state) {
    (void)state;
    EXPECT("BREAK", {"", 1, false}, {"BREAK", 0, true}, {"", 1, false});
    EXPECT("a BREAK BREAK b", {"a", 1, false}, {"BREAK", 0, true}, {"", 1, false}, {"BREAK", 0, true},
           {"b", 1, false});
    EXPECT("(a BREAK b:1)", {"a", 1, false}, {"BREAK", -1, true}, {"b", 1, false});
    EXPECT("break Break BREAKS _BREAK BREAK2", {"break Break BREAKS _BREAK BREAK2", 1, false});
    EXPECT("\xC3\xA9"
           "BREAK \xE7\x8C\xAB"
           "BREAK",
           {"\xC3\xA9"
            "BREAK \xE7\x8C\xAB"
            "BREAK",
            1, false});
    EXPECT("a,BREAK.b", {"a,", 1, false}, {"BREAK", 0, true}, {".b", 1, false});
    EXPECT("a\n\tBREAK\xE3\x80\x80"
           "b",
           {"a", 1, false}, {"BREAK", 0, true}, {"b", 1, false});
    EXPECT("\\BREAK", {"", 1, false}, {"BREAK", 0, true}, {"", 1, false});
}

static void brackets_make_break_a_word(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t words;
    } cases[] = {
        {"a BREAK b", 0},           {"(a BREAK b:1)", 0},  {"(a BREAK b)", 1}, {"[a BREAK b BREAK]", 2},
        {"(a BREAK b:0) BREAK", 1}, {"(a BREAK b:-1)", 1}, {"BREAKS", 0}};
    EXPECT("(a BREAK b:0)", {"aBREAKb", 0, false});
    EXPECT("(a BREAK b:-1)", {"a", -1, false}, {"BREAK", 1, false}, {"b", -1, false});
    EXPECT("((a BREAK b:-1):-1)", {"a", 1, false}, {"BREAK", -1, true}, {"b", 1, false});
    EXPECT("[(a)BREAK]", {"a", 1.1 * (1 / 1.1), false}, {"", 1 / 1.1, false},
           {"BREAK", -1 * (1 / 1.1), false}, {"", 1 / 1.1, false});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pld_prompt_parts parts = parse(cases[i].text);
        assert_int_equal(parts.break_words, cases[i].words);
        pld_prompt_parts_free(&parts);
    }
}

static void lone_backslashes_go_away(void **state) {
    (void)state;
    EXPECT("a \\ b\\", {"a  b", 1, false});
    EXPECT("\\", {"", 1, false});
    EXPECT("\\\\", {"\\", 1, false});
    EXPECT("(a\\:1.2)", {"a", 1.2, false});
    EXPECT("a\\\xE7\x8C\xAB", {"a\xE7\x8C\xAB", 1, false});
}

static void absurd_weights_are_refused_by_name(void **state) {
    (void)state;
    static const char *const prompts[] = {"a (cat:1000001) b", "(dog:-99999999999)",
                                          "(((x:1000):1000):1000)"};
    static const char *const names[] = {"'cat'", "'dog'", "'x'"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        pld_prompt_parts parts = {0};
        pld_error error = {0};
        assert_int_equal(pld_prompt_parse(prompts[i], strlen(prompts[i]), &parts, &error),
                         PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, names[i]));
        assert_null(parts.parts);
    }
    char digits[600] = "(x:";
    memset(digits + 3, '9', 500);
    strcpy(digits + 503, ")");
    pld_prompt_parts parts = {0};
    assert_int_equal(pld_prompt_parse(digits, strlen(digits), &parts, NULL), PLD_ERROR_ARGUMENT);
    memcpy(digits, "(x:.", 4);
    EXPECT("(a)(:99999999)", {"a", 1.1, false}); /* nothing to weigh */
    memset(digits + 4, '0', 499);
    expect(digits, (const expected_part[]){{"x", 0, false}}, 1);
}

static void depth_is_bounded(void **state) {
    (void)state;
    char text[2 * PLD_PROMPT_DEPTH_LIMIT + 8];
    memset(text, '(', PLD_PROMPT_DEPTH_LIMIT);
    text[PLD_PROMPT_DEPTH_LIMIT] = 0;
    EXPECT(text, {"", 1, false});
    strcat(text, "(");
    pld_prompt_parts parts = {0};
    pld_error error = {0};
    assert_int_equal(pld_prompt_parse(text, strlen(text), &parts, &error), PLD_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "256"));
    memset(text, '[', PLD_PROMPT_DEPTH_LIMIT);
    strcpy(text + PLD_PROMPT_DEPTH_LIMIT, "x");
    parts = parse(text);
    assert_int_equal(parts.count, 1);
    assert_true(parts.parts[0].weight > 0 && parts.parts[0].weight < 1e-10);
    pld_prompt_parts_free(&parts);
}

static void nul_and_ill_formed_bytes_are_text(void **state) {
    (void)state;
    pld_prompt_parts parts = {0};
    assert_int_equal(pld_prompt_parse("a\0(b\xff)", 6, &parts, NULL), PLD_OK);
    assert_int_equal(parts.count, 2);
    assert_int_equal(parts.parts[0].length, 2);
    assert_memory_equal(parts.parts[0].text, "a\0", 3);
    assert_string_equal(parts.parts[1].text, "b\xEF\xBF\xBD");
    pld_prompt_parts_free(&parts);
    assert_int_equal(pld_prompt_parse("\\\0x", 3, &parts, NULL), PLD_OK);
    assert_int_equal(parts.parts[0].length, 2);
    assert_memory_equal(parts.parts[0].text, "\0x", 3);
    pld_prompt_parts_free(&parts);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    static const char prompt[] = "a (b:1.2) [c] BREAK \\(d\\) (e (f";
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; countdown < 1000 && status != PLD_OK; countdown++) {
        pld_prompt_parts parts = {0};
        pld_inject_allocation_failure(countdown);
        status = pld_prompt_parse(prompt, strlen(prompt), &parts, NULL);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !parts.parts));
        pld_prompt_parts_free(&parts);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_cases_agree_to_the_last_bit),
        cmocka_unit_test(parts_are_those_of_the_web_ui),
        cmocka_unit_test(brackets_make_break_a_word),
        cmocka_unit_test(lone_backslashes_go_away),
        cmocka_unit_test(numbers_that_are_none_are_text),
        cmocka_unit_test(breaks_are_parts_of_their_own),
        cmocka_unit_test(absurd_weights_are_refused_by_name),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(nul_and_ill_formed_bytes_are_text),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
