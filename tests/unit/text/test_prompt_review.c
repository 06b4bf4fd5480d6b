/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "pladis/pladis.h"
#include "text/prompt/review.h"

/** What the log was told, a line each. */
typedef struct told {
    char text[8192];
    int lines;
} told;

static void hear(void *user, pld_log_level level, const char *message) {
    told *t = user;
    const size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s%s\n", level == PLD_LOG_WARNING ? "! " : "- ",
             message);
    t->lines++;
}

static const char *const world[] = {"star", "ring", "red", "a", "and", "2", "ж"};

static pld_known_words *make_words(void) {
    pld_known_words *known = NULL;
    pld_error error = {0};
    if (pld_known_words_create(world, sizeof world / sizeof *world, "pladis.json", &known, &error) !=
        PLD_OK) {
        fail_msg("%s", error.message);
    }
    return known;
}

static told review(const char *text, bool literal, bool negative, const pld_known_words *known,
                   pld_reviewed_texts *reviewed) {
    told t = {.lines = 0};
    const pld_log log = {hear, &t, PLD_LOG_DETAIL};
    const pld_review_request request = {text, strlen(text), literal, negative, known, false};
    pld_error error = {0};
    if (pld_review_prompt(&request, &log, reviewed, &error) != PLD_OK) {
        fail_msg("'%s': %s", text, error.message);
    }
    return t;
}

static void expect_told(const told *t, int lines, const char *part) {
    if (t->lines != lines || !strstr(t->text, part)) {
        fail_msg("expected %d lines with \"%s\", found %d:\n%s", lines, part, t->lines, t->text);
    }
}

static void unknown_words_are_named(void **state) {
    (void)state;
    pld_known_words *known = make_words();
    told t = review("A red (STAR:1.2) and 2 [rings], a \xD0\x96 BREAK ring", false, false, known, NULL);
    expect_told(&t, 1, "- prompt: this model was not trained on the word rings,");
    expect_told(&t, 1, "it knows star, ring, red, a, and, 2, ж (");
    t = review("a fox, a Fox and the 3 foxes' star!", false, true, known, NULL);
    expect_told(&t, 1, "- negative prompt: this model was not trained on the words fox, the, 3, foxes,");
    t = review("q w e r t y u i o p", false, false, known, NULL);
    expect_told(&t, 1, "q, w, e, r, t, y, u, i and 2 more, which");
    t = review("a (red:1.2) star BREAK", true, false, known, NULL); /* literal: BREAK and 1 are words */
    expect_told(&t, 1, "words 1, break,");
    t = review("a red star, and... (ring)", false, false, known, NULL);
    expect_told(&t, 0, "");
    t = review("", false, false, known, NULL);
    expect_told(&t, 0, "");
    t = review("any words", false, false, NULL, NULL);
    expect_told(&t, 0, "");
    pld_known_words_destroy(&known);
}

static void weights_that_do_not_act_are_told_of(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool literal;
        int lines;
    } rows[] = {{"a (red:1.2) fox", false, 1}, {"a [red] fox", false, 1},    {"a BREAK b", false, 1},
                {"a red fox", false, 0},       {"a (red:1.2) fox", true, 0}, {"a (red:1) fox", false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        told t = {.lines = 0};
        const pld_log log = {hear, &t, PLD_LOG_DETAIL};
        const pld_review_request request = {rows[i].text, strlen(rows[i].text), rows[i].literal, false, NULL,
                                            true};
        assert_int_equal(pld_review_prompt(&request, &log, NULL, NULL), PLD_OK);
        expect_told(&t, rows[i].lines,
                    rows[i].lines ? "- prompt: this model reads a prompt as plain text" : "");
    }
}

static void syntax_and_encoding_are_named(void **state) {
    (void)state;
    told t = review("a [b|c] and [d|e] or f:g", false, false, NULL, NULL);
    expect_told(&t, 1, "! prompt: '[b|c]' and 1 more, A1111's alternation, is not supported: ");
    t = review("a [b|c]", true, false, NULL, NULL); /* literal: no syntax */
    expect_told(&t, 0, "");
    t = review("caf\xE9", false, true, NULL, NULL);
    expect_told(&t, 1, "! negative prompt: the text at byte 4 is not UTF-8");
    t = review("\xEF\xBB\xBF"
               "a \xEF\xBF\xBE",
               false, false, NULL, NULL); /* a mark and a noncharacter are characters */
    expect_told(&t, 0, "");
    t = review("(a BREAK b)", false, false, NULL, NULL);
    expect_told(&t, 1, "! prompt: found BREAK 1 time in brackets with a weight, where it is a word");
    char text[256] = "[";
    memset(text + 1, 'x', 200);
    strcpy(text + 201, "|y]");
    t = review(text, false, false, NULL, NULL);
    expect_told(&t, 1, "xxx...', A1111's");
}

static void each_text_is_spoken_of_once(void **state) {
    (void)state;
    pld_known_words *known = make_words();
    pld_reviewed_texts *reviewed = NULL;
    assert_int_equal(pld_reviewed_texts_create(&reviewed, NULL), PLD_OK);
    told t = review("a fox", false, false, known, reviewed);
    expect_told(&t, 1, "fox");
    t = review("a fox", false, false, known, reviewed);
    expect_told(&t, 0, "");
    t = review("a fox", false, true, known, reviewed); /* another use of it is another text */
    expect_told(&t, 1, "negative prompt");
    t = review("a hare", false, false, known, reviewed);
    expect_told(&t, 1, "hare");
    t = review("a fox", false, false, known, reviewed);
    expect_told(&t, 0, "");
    pld_reviewed_texts_destroy(&reviewed);
    pld_known_words_destroy(&known);
}

static void damaged_lists_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *words[2];
        const char *named;
    } cases[] = {{{"a", "Red"}, "'Red'"},
                 {{"a", "two words"}, "'two words'"},
                 {{"a", ""}, "''"},
                 {{"a", "t-shirt"}, "'t-shirt'"},
                 {{"a", "12"}, "'12'"},
                 {{"a", ","}, "','"},
                 {{"a", "e\xCC\x81"}, "'e\xCC\x81'"},
                 {{"ring", "ring"}, "'ring' twice"},
                 {{"a", "\xC3\x89"}, "'\xC3\x89'"},
                 {{"a", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnop"}, "64 bytes"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pld_known_words *known = NULL;
        pld_error error = {0};
        assert_int_equal(pld_known_words_create(cases[i].words, 2, "pladis.json", &known, &error),
                         PLD_ERROR_FORMAT);
        assert_null(known);
        assert_non_null(strstr(error.message, "pladis.json: field 'trained_words'"));
        if (!strstr(error.message, cases[i].named)) {
            fail_msg("%s lacks %s", error.message, cases[i].named);
        }
    }
    pld_known_words *known = NULL;
    assert_int_equal(pld_known_words_create(world, 0, "pladis.json", &known, NULL), PLD_ERROR_FORMAT);
}

static void texts_are_repaired(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        const char *repaired;
    } cases[] = {{"plain \xC3\xA9", 8, "plain \xC3\xA9"},
                 {"caf\xE9", 4, "caf\xEF\xBF\xBD"},
                 {"\xED\xA0\x80", 3, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
                 {"\xC0\x80", 2, "\xEF\xBF\xBD\xEF\xBF\xBD"},
                 {"\xF0\x9F\x98", 3, "\xEF\xBF\xBD"},
                 {"", 0, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *repaired = NULL;
        size_t length = 0;
        assert_int_equal(pld_utf8_repair(cases[i].bytes, cases[i].length, &repaired, &length, NULL), PLD_OK);
        assert_string_equal(repaired, cases[i].repaired);
        assert_int_equal(length, strlen(cases[i].repaired));
        pld_string_free(&repaired);
        assert_null(repaired);
    }
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; countdown < 2000 && status != PLD_OK; countdown++) {
        static told t;
        const pld_log log = {hear, &t, PLD_LOG_DETAIL};
        pld_known_words *known = NULL;
        t = (told){.lines = 0};
        pld_inject_allocation_failure(countdown);
        status = pld_known_words_create(world, sizeof world / sizeof *world, "pladis.json", &known, NULL);
        if (status == PLD_OK) {
            const pld_review_request request = {"a [fox|hare]", 12, false, false, known, false};
            status = pld_review_prompt(&request, &log, NULL, NULL);
        }
        pld_inject_allocation_failure(-1);
        pld_known_words_destroy(&known);
        assert_true(status == PLD_OK || status == PLD_ERROR_MEMORY);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_words_are_named),
        cmocka_unit_test(weights_that_do_not_act_are_told_of),
        cmocka_unit_test(syntax_and_encoding_are_named),
        cmocka_unit_test(each_text_is_spoken_of_once),
        cmocka_unit_test(damaged_lists_are_refused),
        cmocka_unit_test(texts_are_repaired),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
