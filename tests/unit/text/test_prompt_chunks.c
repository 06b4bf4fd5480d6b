/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "text/prompt/chunks.h"
#include "tokenizer_data.h"

enum { POSITIONS = 77, START = 1158, END = 1159 };

static pld_prompt_chunks build(const pld_tokenizer *tokenizer, const char *text, size_t length,
                               size_t positions) {
    pld_prompt_parts parts = {0};
    pld_prompt_chunks chunks = {0};
    pld_error error = {0};
    assert_int_equal(pld_prompt_parse(text, length, &parts, &error), PLD_OK);
    assert_int_equal(pld_prompt_chunks_build(tokenizer, &parts, positions, &chunks, &error), PLD_OK);
    pld_prompt_parts_free(&parts);
    return chunks;
}

static void expect_ids(const json_t *expected, const int32_t *ids, size_t count) {
    assert_int_equal(json_array_size(expected), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ids[i], json_integer_value(json_array_get(expected, i)));
    }
}

/** Whether the text means the same with and without the weight syntax. */
static bool is_plain(const char *text) {
    return !strpbrk(text, "()[]\\") && !strstr(text, "BREAK");
}

static void check_padded(const char *folder, const char *field) {
    pld_tokenizer *tokenizer = open_reference_tokenizer(folder);
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data("cases.json"), &document);
    size_t index = 0;
    size_t plain = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        const char *text = json_string_value(json_object_get(entry, "text"));
        size_t length = json_string_length(json_object_get(entry, "text"));
        const json_t *padded = json_object_get(entry, field);
        pld_prompt_chunks literal = {0};
        assert_int_equal(pld_prompt_chunks_literal(tokenizer, text, length, POSITIONS, &literal, NULL),
                         PLD_OK);
        assert_int_equal(literal.count, 1);
        expect_ids(padded, literal.chunks[0].ids, POSITIONS);
        pld_prompt_chunks chunks = build(tokenizer, text, length, POSITIONS);
        if (is_plain(text) &&
            !(literal.dropped.count > 0 && strchr(text, ','))) { /* a comma moves words on */
            plain++;
            expect_ids(padded, chunks.chunks[0].ids, POSITIONS);
            assert_int_equal(chunks.count > 1, literal.dropped.count > 0);
            assert_false(chunks.weighted);
        }
        pld_prompt_chunks_free(&chunks);
        pld_prompt_chunks_free(&literal);
    }
    assert_int_equal(index, 97);
    assert_true(plain > 60);
    json_decref(document);
    pld_tokenizer_close(tokenizer);
}

static void one_chunk_equals_the_padded_ids_of_transformers(void **state) {
    (void)state;
    check_padded("clip", "padded");
    check_padded("clip_pad_zero", "padded_zero");
}

/** The chunks of a prompt have these numbers of content tokens, and the right frame around them. */
static void expect_contents(const pld_tokenizer *tokenizer, const char *text, size_t positions,
                            const size_t *contents, size_t count) {
    pld_prompt_chunks chunks = build(tokenizer, text, strlen(text), positions);
    assert_int_equal(chunks.count, count);
    assert_int_equal(chunks.positions, positions);
    assert_int_equal(chunks.dropped.count, 0);
    for (size_t i = 0; i < count; i++) {
        const pld_prompt_chunk *chunk = &chunks.chunks[i];
        assert_int_equal(chunk->content, contents[i]);
        assert_int_equal(chunk->ids[0], START);
        assert_int_equal(chunk->ids[chunk->content + 1], END);
        for (size_t j = chunk->content + 2; j < positions; j++) {
            assert_int_equal(chunk->ids[j], pld_tokenizer_get_facts(tokenizer)->pad_id);
            assert_true(chunk->weights[j] == 1.0F);
        }
    }
    pld_prompt_chunks_free(&chunks);
}

#define EXPECT_CONTENTS(text, positions, ...)                                                                \
    expect_contents(tokenizer, text, positions, (const size_t[]){__VA_ARGS__},                               \
                    sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

static void long_prompts_and_breaks_make_chunks(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip_pad_zero");
    EXPECT_CONTENTS("", 77, 0);
    EXPECT_CONTENTS("BREAK", 77, 0);
    EXPECT_CONTENTS("BREAK BREAK", 77, 0, 0);
    EXPECT_CONTENTS("a BREAK", 77, 1);
    EXPECT_CONTENTS("a BREAK BREAK ", 77, 1, 0);
    EXPECT_CONTENTS("BREAK a", 77, 0, 1);
    EXPECT_CONTENTS("a BREAK BREAK a a", 77, 1, 0, 2);
    EXPECT_CONTENTS("(a BREAK a:1)", 77, 1, 1);
    EXPECT_CONTENTS("a a a BREAK", 5, 3);
    EXPECT_CONTENTS("a, a a", 5, 2, 2); /* what stands behind the comma moves on */
    EXPECT_CONTENTS("a a, a", 5, 3, 1);
    EXPECT_CONTENTS("a a a, a", 5, 3, 2);
    EXPECT_CONTENTS("a a a", 5, 3);
    EXPECT_CONTENTS("a a a a", 5, 3, 1);
    EXPECT_CONTENTS("a a (a a:1.2) a a a", 5, 3, 3, 1);
    EXPECT_CONTENTS("a a a BREAK a", 5, 3, 1); /* a full chunk is not followed by an empty one */
    EXPECT_CONTENTS("a a", 3, 1, 1);
    pld_tokenizer_close(tokenizer);
}

/** The web UI's own chunks: BREAK at every place, and commas near and far from the end of a chunk. */
static void chunks_are_those_of_the_web_ui(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data("webui_cases.json"), &document);
    size_t index = 0;
    size_t several = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        const json_t *text = json_object_get(entry, "text");
        const json_t *expected = json_object_get(entry, "chunks");
        pld_prompt_chunks chunks =
            build(tokenizer, json_string_value(text), json_string_length(text), POSITIONS);
        assert_int_equal(chunks.count, json_array_size(expected));
        for (size_t i = 0; i < chunks.count; i++) {
            const pld_prompt_chunk *chunk = &chunks.chunks[i];
            const json_t *weights = json_object_get(json_array_get(expected, i), "weights");
            expect_ids(json_object_get(json_array_get(expected, i), "ids"), chunk->ids, chunk->content + 2);
            for (size_t j = 0; j < POSITIONS; j++) {
                const json_t *weight = json_array_get(weights, j);
                assert_true(chunk->weights[j] == (weight ? (float)json_number_value(weight) : 1.0F));
                assert_true(j < chunk->content + 2 ||
                            chunk->ids[j] == pld_tokenizer_get_facts(tokenizer)->pad_id);
            }
        }
        several += chunks.count > 1;
        pld_prompt_chunks_free(&chunks);
    }
    assert_true(index > 200 && several > 50);
    json_decref(document);
    pld_tokenizer_close(tokenizer);
}

static void chunks_keep_order_and_weights(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    static const char text[] = "a (cat:1.5), [of] in";
    static const char *const parts[] = {"a ", "cat", ", ", "of", " in"};
    static const double weights[] = {1, 1.5, 1, 1 / 1.1, 1};
    pld_prompt_chunks chunks = build(tokenizer, text, strlen(text), POSITIONS);
    assert_int_equal(chunks.count, 1);
    size_t place = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        pld_token_list ids = {0};
        assert_int_equal(pld_tokenizer_encode(tokenizer, parts[i], strlen(parts[i]), &ids, NULL), PLD_OK);
        for (size_t j = 0; j < ids.count; j++, place++) {
            assert_int_equal(chunks.chunks[0].ids[place], ids.ids[j]);
            assert_true(chunks.chunks[0].weights[place] == (float)weights[i]);
        }
        pld_token_list_free(&ids);
    }
    assert_int_equal(place, chunks.chunks[0].content + 1);
    assert_true(chunks.weighted);
    pld_prompt_chunks_free(&chunks);
    chunks = build(tokenizer, "a ((b)[c])", 10, POSITIONS);
    assert_true(chunks.weighted);
    pld_prompt_chunks_free(&chunks);
    pld_tokenizer_close(tokenizer);
}

static void nothing_is_dropped_from_ten_thousand_characters(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    static char text[10001];
    for (size_t i = 0; i < 10000; i++) {
        text[i] = "a photo of the cat. "[i % 20];
    }
    pld_token_list ids = {0};
    assert_int_equal(pld_tokenizer_encode(tokenizer, text, 10000, &ids, NULL), PLD_OK);
    pld_prompt_chunks chunks = build(tokenizer, text, 10000, POSITIONS);
    assert_int_equal(chunks.count, (ids.count + 74) / 75);
    for (size_t i = 0; i < ids.count; i++) {
        assert_int_equal(chunks.chunks[i / 75].ids[1 + i % 75], ids.ids[i]);
    }
    pld_prompt_chunks_free(&chunks);
    pld_prompt_chunks literal = {0};
    assert_int_equal(pld_prompt_chunks_literal(tokenizer, text, 10000, POSITIONS, &literal, NULL), PLD_OK);
    assert_int_equal(literal.chunks[0].content, 75);
    assert_int_equal(literal.dropped.count, ids.count - 75);
    assert_memory_equal(literal.dropped.ids, ids.ids + 75, literal.dropped.count * sizeof *ids.ids);
    pld_prompt_chunks_free(&literal);
    pld_token_list_free(&ids);
    pld_tokenizer_close(tokenizer);
}

static void literal_prompts_have_no_syntax(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    static const char text[] = "(a:1.5) BREAK \\(b";
    pld_token_list ids = {0};
    pld_prompt_chunks literal = {0};
    assert_int_equal(pld_tokenizer_encode(tokenizer, text, strlen(text), &ids, NULL), PLD_OK);
    assert_int_equal(pld_prompt_chunks_literal(tokenizer, text, strlen(text), POSITIONS, &literal, NULL),
                     PLD_OK);
    assert_int_equal(literal.count, 1);
    assert_int_equal(literal.chunks[0].content, ids.count);
    assert_memory_equal(literal.chunks[0].ids + 1, ids.ids, ids.count * sizeof *ids.ids);
    assert_false(literal.weighted);
    pld_prompt_chunks_free(&literal);
    pld_token_list_free(&ids);
    pld_tokenizer_close(tokenizer);
}

static void too_few_positions_are_refused(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    pld_prompt_parts parts = {0};
    pld_prompt_chunks chunks = {0};
    pld_error error = {0};
    assert_int_equal(pld_prompt_parse("a", 1, &parts, NULL), PLD_OK);
    assert_int_equal(pld_prompt_chunks_build(tokenizer, &parts, 2, &chunks, &error), PLD_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "found 2"));
    assert_null(chunks.chunks);
    assert_int_equal(pld_prompt_chunks_literal(tokenizer, "a", 1, 0, &chunks, NULL), PLD_ERROR_ARGUMENT);
    pld_prompt_parts_free(&parts);
    pld_tokenizer_close(tokenizer);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    pld_tokenizer *tokenizer = open_reference_tokenizer("clip");
    pld_prompt_parts parts = {0};
    assert_int_equal(pld_prompt_parse("a b c (d e:1.2) f BREAK g", 25, &parts, NULL), PLD_OK);
    for (int literal = 0; literal < 2; literal++) {
        pld_status status = PLD_ERROR_MEMORY;
        for (long countdown = 0; countdown < 1000 && status != PLD_OK; countdown++) {
            pld_prompt_chunks chunks = {0};
            pld_inject_allocation_failure(countdown);
            status = literal ? pld_prompt_chunks_literal(tokenizer, "a b c d e f", 11, 5, &chunks, NULL)
                             : pld_prompt_chunks_build(tokenizer, &parts, 5, &chunks, NULL);
            pld_inject_allocation_failure(-1);
            assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !chunks.chunks));
            pld_prompt_chunks_free(&chunks);
        }
        assert_int_equal(status, PLD_OK);
    }
    pld_prompt_parts_free(&parts);
    pld_tokenizer_close(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_chunk_equals_the_padded_ids_of_transformers),
        cmocka_unit_test(long_prompts_and_breaks_make_chunks),
        cmocka_unit_test(chunks_are_those_of_the_web_ui),
        cmocka_unit_test(chunks_keep_order_and_weights),
        cmocka_unit_test(nothing_is_dropped_from_ten_thousand_characters),
        cmocka_unit_test(literal_prompts_have_no_syntax),
        cmocka_unit_test(too_few_positions_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
