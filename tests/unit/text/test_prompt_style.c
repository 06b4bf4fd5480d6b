/* SPDX-License-Identifier: Apache-2.0 */
/* Prompts as texts of one piece: small letters, templates, cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "text/prompt/fold.h"
#include "text/prompt/style.h"
#include "tokenizer_data.h"

static pld_error error;

/** tools/reference/fold_cases.py: Python's own results. */
static void texts_are_folded_as_python_does(void **state) {
    (void)state;
    json_t *document;
    json_t *cases = load_cases(tokenizer_data("fold.json"), &document);
    size_t i;
    json_t *row;
    json_array_foreach(cases, i, row) {
        json_t *text = json_object_get(row, "text"), *expected = json_object_get(row, "folded");
        char *folded = NULL;
        size_t length = 0;
        assert_int_equal(
            pld_prompt_fold(json_string_value(text), json_string_length(text), &folded, &length, &error),
            PLD_OK);
        if (length != json_string_length(expected) ||
            memcmp(folded, json_string_value(expected), length) != 0) {
            fail_msg("'%s': expected '%s', found '%s'", json_string_value(text), json_string_value(expected),
                     folded);
        }
        pld_free(folded);
    }
    json_decref(document);
}

static void bytes_that_are_no_text_fold_to_the_replacement(void **state) {
    (void)state;
    char *folded = NULL;
    size_t length = 0;
    assert_int_equal(pld_prompt_fold(" A\xff\xc3", 4, &folded, &length, &error), PLD_OK);
    assert_string_equal(folded, "a\xef\xbf\xbd\xef\xbf\xbd");
    pld_free(folded);
}

static pld_prompt_chunks cut(const pld_tokenizer *tokenizer, const char *text,
                             const pld_prompt_frame *frame) {
    const pld_prompt_text request = {.text = text, .length = strlen(text)};
    pld_prompt_chunks chunks = {0};
    if (pld_prompt_style_whole.cut(tokenizer, &request, frame, &chunks, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(chunks.count, 1);
    assert_int_equal(chunks.positions, chunks.chunks[0].used);
    assert_false(chunks.weighted);
    return chunks;
}

static void whole_texts_end_with_their_mark_and_are_not_padded(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("t5");
    const int32_t end = pld_tokenizer_get_facts(tokenizer)->after_id;
    const pld_prompt_frame frame = {.positions = 12, .folded = true};
    pld_prompt_chunks empty = cut(tokenizer, "", &frame);
    assert_int_equal(empty.positions, 1);
    assert_int_equal(empty.chunks[0].ids[0], end);
    pld_prompt_chunks plain = cut(tokenizer, "a red fox", &frame),
                      loud = cut(tokenizer, "  A RED Fox ", &frame);
    assert_int_equal(plain.positions, loud.positions);
    assert_memory_equal(plain.chunks[0].ids, loud.chunks[0].ids,
                        plain.positions * sizeof *plain.chunks[0].ids);
    assert_int_equal(plain.chunks[0].ids[plain.positions - 1], end);
    pld_prompt_chunks_free(&empty);
    pld_prompt_chunks_free(&plain);
    pld_prompt_chunks_free(&loud);
    pld_tokenizer_close(tokenizer);
}

static void what_does_not_fit_is_listed(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("t5");
    static const char text[] = "a photo of a red fox sitting in deep snow, sharp focus";
    const pld_prompt_frame all = {.positions = 512}, few = {.positions = 5};
    pld_prompt_chunks whole = cut(tokenizer, text, &all), part = cut(tokenizer, text, &few);
    assert_int_equal(whole.dropped.count, 0);
    assert_int_equal(part.positions, 5);
    assert_memory_equal(part.chunks[0].ids, whole.chunks[0].ids, 4 * sizeof(int32_t));
    assert_int_equal(part.chunks[0].ids[4], pld_tokenizer_get_facts(tokenizer)->after_id);
    assert_int_equal(part.dropped.count, whole.positions - 5);
    assert_memory_equal(part.dropped.ids, whole.chunks[0].ids + 4, part.dropped.count * sizeof(int32_t));
    pld_prompt_chunks_free(&whole);
    pld_prompt_chunks_free(&part);
    pld_tokenizer_close(tokenizer);
}

static void a_template_stands_around_the_text(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("qwen");
    const pld_prompt_frame framed = {
        .positions = 64, .before = "<|im_start|>user\n", .after = "<|im_end|>\n"};
    const pld_prompt_frame bare = {.positions = 64};
    pld_prompt_chunks a = cut(tokenizer, "a fox", &framed);
    pld_prompt_chunks b = cut(tokenizer, "<|im_start|>user\na fox<|im_end|>\n", &bare);
    assert_int_equal(a.positions, b.positions);
    assert_memory_equal(a.chunks[0].ids, b.chunks[0].ids, a.positions * sizeof(int32_t));
    pld_prompt_chunks_free(&a);
    pld_prompt_chunks_free(&b);
    pld_tokenizer_close(tokenizer);
}

static pld_prompt_chunks cut_instructed(const pld_tokenizer *tokenizer, const char *instruction,
                                        const char *text, size_t positions) {
    const pld_prompt_text request = {.text = text, .length = strlen(text), .instruction = instruction};
    const pld_prompt_frame frame = {.positions = positions, .folded = true};
    pld_prompt_chunks chunks = {0};
    if (pld_prompt_style_whole.cut(tokenizer, &request, &frame, &chunks, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return chunks;
}

/** diffusers' rule: of an instruction's n tokens, with the start, the network sees the first and the last, and a text may have
 * n − 2 tokens more. */
static void an_instruction_stands_before_the_text_and_is_hardly_seen(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("gemma");
    static const char instruction[] = "Describe THIS:\nin detail, please: ";
    const pld_prompt_frame plain = {.positions = 256};
    pld_prompt_chunks whole = cut_instructed(tokenizer, instruction, "  A red FOX ", 64),
                      joined = cut(tokenizer, "Describe THIS:\nin detail, please: a red fox", &plain),
                      alone = cut(tokenizer, instruction, &plain);
    assert_int_equal(whole.positions, joined.positions);
    assert_memory_equal(whole.chunks[0].ids, joined.chunks[0].ids, whole.positions * sizeof(int32_t));
    assert_int_equal(whole.unseen, alone.positions - 2);
    assert_int_equal(joined.unseen, 0);
    pld_prompt_chunks few = cut_instructed(tokenizer, instruction, "a red fox", 3);
    assert_int_equal(few.positions, 3 + alone.positions - 2);
    assert_int_equal(few.dropped.count, whole.positions - few.positions);
    assert_memory_equal(few.chunks[0].ids, whole.chunks[0].ids, few.positions * sizeof(int32_t));
    pld_prompt_chunks_free(&whole);
    pld_prompt_chunks_free(&joined);
    pld_prompt_chunks_free(&alone);
    pld_prompt_chunks_free(&few);
    pld_tokenizer_close(tokenizer);
}

static void a_text_of_no_tokens_is_refused(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("t5");
    const pld_prompt_text request = {.text = "a", .length = 1};
    const pld_prompt_frame none = {.positions = 0};
    pld_prompt_chunks chunks = {0};
    assert_int_equal(pld_prompt_style_whole.cut(tokenizer, &request, &none, &chunks, &error),
                     PLD_ERROR_ARGUMENT);
    assert_null(chunks.chunks);
    pld_tokenizer_close(tokenizer);
    /* Nothing stands around Qwen's texts, so an empty one leaves nothing to encode. */
    tokenizer = open_reference_tokenizer("qwen");
    const pld_prompt_text empty = {.text = ""};
    const pld_prompt_frame bare = {.positions = 64};
    assert_int_equal(pld_prompt_style_whole.cut(tokenizer, &empty, &bare, &chunks, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no token of an empty text"));
    assert_null(chunks.chunks);
    pld_tokenizer_close(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_folded_as_python_does),
        cmocka_unit_test(bytes_that_are_no_text_fold_to_the_replacement),
        cmocka_unit_test(whole_texts_end_with_their_mark_and_are_not_padded),
        cmocka_unit_test(what_does_not_fit_is_listed),
        cmocka_unit_test(a_template_stands_around_the_text),
        cmocka_unit_test(an_instruction_stands_before_the_text_and_is_hardly_seen),
        cmocka_unit_test(a_text_of_no_tokens_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
