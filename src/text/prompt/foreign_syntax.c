/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/foreign_syntax.h"

#include <string.h>

#include "core/memory.h"
#include "text/unicode/pattern.h"

/* Groups that the patterns below refer to, as A1111's grammar of schedules has them: a plain stretch,
 * brackets that are closed, and what may stand between the signs of a square bracket. */
#define GROUPS                                                                                               \
    "(?(DEFINE)(?<plain>[^][()\\\\:|]++|\\\\.)"                                                              \
    "(?<round>\\((?:(?&plain)|[:|]|(?&round)|(?&square))*+\\))"                                              \
    "(?<square>\\[(?:(?&plain)|[:|]|(?&round)|(?&square))*+\\])"                                             \
    "(?<item>(?&plain)|(?&round)|(?&square)))"
/* A backslash and what it makes plain are no syntax. */
#define UNESCAPED GROUPS "\\\\.(*SKIP)(*FAIL)|"
#define NUMBER    "[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?"
#define WORD      "[\\p{L}\\p{N}_]"
#define AT_END    "(?=[\\s,.;)\\]]|$)"

static const char in_all_steps[] = "its words get a lower weight, the same in all steps";
static const char as_words[] = "it is taken as words";

static const pld_foreign_syntax rows[] = {
    {"|", UNESCAPED "\\[(?&item)*+(?:\\|(?&item)*+)++\\]", "A1111's alternation", in_all_steps, false},
    {":", UNESCAPED "\\[(?&item)*+(?::(?&item)*+)?:\\s*+" NUMBER "\\s*+\\]", "A1111's prompt editing",
     in_all_steps, false},
    {"AND", "\\bAND\\b", "A1111's composition of prompts", as_words, true},
    {"<lora:", "<lora:[^<>]++>", "a LoRA tag",
     "here it is taken as words; generate removes it and applies the LoRA, which it finds with --lora-dir",
     false},
    {"<lyco:", "<lyco:[^<>]++>", "an old LyCORIS tag of A1111",
     "it is taken as words; write <lora:NAME:WEIGHT> and give --lora-dir, or use --lora", false},
    {"<hypernet:", "<hypernet:[^<>]++>", "a hypernetwork of A1111", as_words, false},
    {"<", "<(?!(?:lora|lyco|hypernet):)[A-Za-z]\\w*+:[^<>]++>", "a tag of another program", as_words, false},
    {"{", UNESCAPED "\\{[^{}|]*+\\|[^{}]*+\\}", "a choice of Dynamic Prompts or ComfyUI",
     "all of it is taken as words; --prompt-file draws several prompts", false},
    {"{{", UNESCAPED "(?<!\\{)\\{\\{++[^{}|]++\\}\\}++", "NovelAI's emphasis",
     "it is taken as words; write (word:1.05)", false},
    {"__", "__(?!_)[^\\s_]++(?:_[^\\s_]++)*+__", "a wildcard",
     "it is taken as words; --prompt-file draws several prompts", false},
    {"embedding:", "(?<!\\w)embedding:[^\\s,()\\[\\]]++", "a textual inversion of ComfyUI", as_words, false},
    {"+", UNESCAPED "(?:(?&round)|(?<!" WORD ")" WORD "++)\\++" AT_END, "emphasis of InvokeAI and Compel",
     "it is taken as words; write (word:1.1)", false},
    {"-", UNESCAPED "(?:(?&round)-|(?<!" WORD ")" WORD "++--)-*+" AT_END, "emphasis of InvokeAI and Compel",
     "it is taken as words; write (word:0.9)", false},
    {")", UNESCAPED "(?&round)(?:\\d?\\.\\d++|\\d)(?![\\w.])", "a weight of InvokeAI and Compel",
     "the number is taken as words and the bracket counts as 1.1; write (word:1.3)", false},
    {").", UNESCAPED "(?&round)\\.(?:and|blend|swap)\\(", "a function of InvokeAI and Compel", as_words,
     false},
    {"::",
     UNESCAPED "(?&square)(*SKIP)(*FAIL)|(?<![\\w.])-?\\d++(?:\\.\\d++)?::|(?<!" WORD ")" WORD
               "++::(?=-?[\\d.]|\\s|$)(?:-?[\\d.]++)?",
     "a weight of Midjourney or NovelAI", "it is taken as words; write (word:1.3)", false},
    {"--", "(?<!\\S)--[a-z]{1,16}(?=\\s|$)(?:\\s[\\w.:]{1,16}(?=\\s|$))?", "a parameter of Midjourney",
     "it is taken as words; pladis generate --help lists the options", false},
    {"ADD", "\\bADD(?:BASE|COMM|ROW|COL)\\b", "a region of Regional Prompter", as_words, false},
};

/** All places of one kind. */
static pld_status count(const pld_foreign_syntax *syntax, pld_pattern *pattern, const char *text,
                        size_t length, pld_foreign_match *match, pld_error *error) {
    *match = (pld_foreign_match){.syntax = syntax};
    for (size_t from = 0; from < length;) {
        bool found = false;
        size_t begin = 0;
        size_t end = 0;
        PLD_TRY(pld_pattern_find(pattern, text, length, from, &found, &begin, &end, error));
        if (!found || end <= from) {
            break;
        }
        if (match->count++ == 0) {
            match->begin = begin;
            match->length = end - begin;
        }
        from = end;
    }
    return PLD_OK;
}

/** Whether `mark` stands somewhere in `length` bytes, which may hold NUL. */
static bool contains(const char *text, size_t length, const char *mark) {
    const size_t size = strlen(mark);
    for (const char *at = text; length - (size_t)(at - text) >= size; at++) {
        at = memchr(at, mark[0], length - (size_t)(at - text));
        if (!at || length - (size_t)(at - text) < size) {
            return false;
        }
        if (memcmp(at, mark, size) == 0) {
            return true;
        }
    }
    return false;
}

pld_status pld_foreign_syntax_visit(const char *text, size_t length, bool negative,
                                    pld_foreign_visitor visitor, void *context, pld_error *error) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if ((negative && rows[i].of_prompt) || !contains(text, length, rows[i].mark)) {
            continue;
        }
        pld_pattern *pattern = NULL;
        pld_foreign_match match;
        PLD_TRY(pld_pattern_open(rows[i].pattern, "prompt syntax", &pattern, error));
        pld_status status = count(&rows[i], pattern, text, length, &match, error);
        pld_pattern_close(pattern);
        PLD_TRY(status);
        if (match.count > 0) {
            visitor(context, &match);
        }
    }
    return PLD_OK;
}
