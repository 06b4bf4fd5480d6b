/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/memory.h"
#include "text/prompt/foreign_syntax.h"

/** What was found: "name: text; name: text (count)". */
typedef struct findings {
    const char *text;
    char list[512];
} findings;

static void note(void *context, const pld_foreign_match *match) {
    findings *f = context;
    const size_t used = strlen(f->list);
    snprintf(f->list + used, sizeof f->list - used, "%s%s: %.*s", used ? "; " : "", match->syntax->name,
             (int)match->length, f->text + match->begin);
    if (match->count > 1) {
        const size_t more = strlen(f->list);
        snprintf(f->list + more, sizeof f->list - more, " (%zu)", match->count);
    }
    assert_true(match->syntax->taken[0] != '\0');
}

static void expect_found(const char *text, bool negative, const char *expected) {
    findings f = {.text = text};
    assert_int_equal(pld_foreign_syntax_visit(text, strlen(text), negative, note, &f, NULL), PLD_OK);
    if (strcmp(f.list, expected) != 0) {
        fail_msg("'%s': found \"%s\", expected \"%s\"", text, f.list, expected);
    }
}

static void kinds_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a [cat|dog] x", "A1111's alternation: [cat|dog]"},
        {"[fe|]male", "A1111's alternation: [fe|]"},
        {"[a|b|c] [d|e]", "A1111's alternation: [a|b|c] (2)"},
        {"[a|(b:1.1)]", "A1111's alternation: [a|(b:1.1)]"},
        {"a [cat:dog:0.5]", "A1111's prompt editing: [cat:dog:0.5]"},
        {"[cat:dog:10]", "A1111's prompt editing: [cat:dog:10]"},
        {"[x:1.2]", "A1111's prompt editing: [x:1.2]"},
        {"[cat: .5 ]", "A1111's prompt editing: [cat: .5 ]"},
        {"[cat::0.5]", "A1111's prompt editing: [cat::0.5]"},
        {"[:cat:0.5]", "A1111's prompt editing: [:cat:0.5]"},
        {"[(a:2):3]", "A1111's prompt editing: [(a:2):3]"},
        {"[[[b]]:2]", "A1111's prompt editing: [[[b]]:2]"},
        {"a[b:[c:d:2]:1]e", "A1111's prompt editing: [b:[c:d:2]:1]"},
        {"[[a|b]:c:0.5]", "A1111's alternation: [a|b]; A1111's prompt editing: [[a|b]:c:0.5]"},
        {"a cat AND a dog :1.2", "A1111's composition of prompts: AND"},
        {"<lora:ink:0.7> a", "a LoRA tag: <lora:ink:0.7>"},
        {"<lyco:ink:0.7>", "an old LyCORIS tag of A1111: <lyco:ink:0.7>"},
        {"<hypernet:x:1>", "a hypernetwork of A1111: <hypernet:x:1>"},
        {"<random:a,b> <wildcard:c>", "a tag of another program: <random:a,b> (2)"},
        {"a {red|blue} cat", "a choice of Dynamic Prompts or ComfyUI: {red|blue}"},
        {"a {{cat}} b", "NovelAI's emphasis: {{cat}}"},
        {"a __colour__ cat", "a wildcard: __colour__"},
        {"__art/my_style__", "a wildcard: __art/my_style__"},
        {"(embedding:bad-hands:1.2)", "a textual inversion of ComfyUI: embedding:bad-hands:1.2"},
        {"a cat++ on grass+", "emphasis of InvokeAI and Compel: cat++ (2)"},
        {"(a cat)+", "emphasis of InvokeAI and Compel: (a cat)+"},
        {"a (cat)- b dog--", "emphasis of InvokeAI and Compel: (cat)- (2)"},
        {"a (cat)1.3 b", "a weight of InvokeAI and Compel: (cat)1.3"},
        {"(\"a\", \"b\").blend(1, 2)", "a function of InvokeAI and Compel: (\"a\", \"b\").blend("},
        {"cat::2 dog::1", "a weight of Midjourney or NovelAI: cat::2 (2)"},
        {"1.5::cat ::", "a weight of Midjourney or NovelAI: 1.5::"},
        {"a cat --ar 3:2", "a parameter of Midjourney: --ar 3:2"},
        {"a ADDCOL b", "a region of Regional Prompter: ADDCOL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_found(cases[i].text, false, cases[i].expected);
    }
    expect_found("a cat AND a dog", true, "");
    expect_found("[cat|dog]", true, "A1111's alternation: [cat|dog]");
}

static void what_is_understood_or_plain_is_no_finding(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "a red fox, in deep snow; 12:30, 3:2 (really). \"no\"!",
        "((a)) [b] (c:1.2) ( d : -0.5 ) [e (f:1.1)] (g:) [h] BREAK i",
        "\\[a|b\\] \\[a:b:0.5\\] \\(x\\)1.3 \\{a|b\\}",
        "[a:b] [a:b:c] (a|b) a|b [a|b:0.5]",
        "a {set} of {x}",
        "[unclosed|a",
        "[a:0.5",
        "ANDROID HAND and And AND_",
        "a < b and c > d, x<y, <3, </i>",
        "snake_case _x_ a__b ___",
        "C++11 5+5 + - -- a-b well-known pre- 2-3",
        "(a) 1 (b).5a (c)1st",
        "a--b -- --3",
        "embeddings: some, myembedding:x",
        "ADDRESS ADDCOLX",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect_found(texts[i], false, "");
    }
}

/** Signs in long rows take time that grows with the length, not with its square. */
static void hostile_texts_take_little_time(void **state) {
    (void)state;
    enum { SIZE = 400000 };
    static char text[SIZE + 1];
    static const char *const pieces[] = {
        "[a|", "[a:",  "(a)",   "a", "\\", "{a|", "{{a",  "__a",    "<a:", "a::", "1",   "a+",     "-",
        "--a", "()1.", "[a|b]", "_", "+",  ":",   "AND ", "(a[b|]", "|",   "{",   "[:1", "<lora:", "(a]"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const size_t length = strlen(pieces[i]);
        for (size_t at = 0; at < SIZE; at++) {
            text[at] = pieces[i][at % length];
        }
        findings f = {.text = text};
        const clock_t begin = clock();
        /* deeper brackets than these are refused before */
        const char *open = strpbrk(pieces[i], "[(");
        const size_t size = open && !strpbrk(pieces[i], "])") ? 256 * length : SIZE;
        assert_int_equal(pld_foreign_syntax_visit(text, size, false, note, &f, NULL), PLD_OK);
        const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
        if (seconds > 2) {
            fail_msg("'%s' in a row takes %.1f s", pieces[i], seconds);
        }
        f.list[0] = '\0';
    }
}

static void nul_is_a_character(void **state) {
    (void)state;
    static const char text[] = "a\0[b|c]";
    findings f = {.text = text};
    assert_int_equal(pld_foreign_syntax_visit(text, sizeof text - 1, false, note, &f, NULL), PLD_OK);
    assert_string_equal(f.list, "A1111's alternation: [b|c]");
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    static const char text[] = "[a|b] {c|d} AND";
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; countdown < 1000 && status != PLD_OK; countdown++) {
        findings f = {.text = text};
        pld_inject_allocation_failure(countdown);
        status = pld_foreign_syntax_visit(text, sizeof text - 1, false, note, &f, NULL);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || status == PLD_ERROR_MEMORY);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_apart),
        cmocka_unit_test(what_is_understood_or_plain_is_no_finding),
        cmocka_unit_test(hostile_texts_take_little_time),
        cmocka_unit_test(nul_is_a_character),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
