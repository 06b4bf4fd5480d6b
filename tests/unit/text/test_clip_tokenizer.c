/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "temporary_folder.h"
#include "text/clip/normalise.h"
#include "tokenizer_data.h"

/** Ids of `text` equal `expected`, which includes start and end token. */
static bool same_ids(const pld_clip_tokenizer *tokenizer, const json_t *text, const json_t *expected) {
    pld_token_list ids = {0};
    pld_error error = {0};
    assert_int_equal(
        pld_clip_encode(tokenizer, json_string_value(text), json_string_length(text), &ids, &error), PLD_OK);
    bool same = json_array_size(expected) == ids.count + 2;
    for (size_t i = 0; same && i < ids.count; i++) {
        same = json_integer_value(json_array_get(expected, i + 1)) == ids.ids[i];
    }
    if (!same) {
        print_error("prompt '%s':", json_string_value(text));
        for (size_t i = 0; i < ids.count; i++) {
            print_error(" %s", pld_clip_piece(tokenizer, ids.ids[i]));
        }
        print_error("\nexpected:");
        for (size_t i = 0; i < json_array_size(expected); i++) {
            int32_t id = (int32_t)json_integer_value(json_array_get(expected, i));
            print_error(" %s", pld_clip_piece(tokenizer, id));
        }
        print_error("\n");
    }
    pld_token_list_free(&ids);
    return same;
}

static void reference_prompts_have_the_ids_of_transformers(void **state) {
    (void)state;
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data("cases.json"), &document);
    assert_int_equal(json_integer_value(json_object_get(document, "vocab_size")),
                     pld_clip_vocabulary_size(tokenizer));
    size_t index = 0;
    size_t wrong = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        wrong += !same_ids(tokenizer, json_object_get(entry, "text"), json_object_get(entry, "ids"));
    }
    assert_int_equal(index, 97);
    assert_int_equal(wrong, 0);
    json_decref(document);
    pld_clip_tokenizer_close(tokenizer);
}

static void hard_prompts_have_the_ids_of_transformers(void **state) {
    (void)state;
    const char *file = getenv("PLADIS_TOKENIZER_CASES"); /* a larger file of the same generator */
    json_t *document = NULL;
    json_t *cases = load_cases(file ? file : tokenizer_data("hard_cases.json"), &document);
    pld_clip_tokenizer *tokenizer = NULL;
    const char *open = "";
    size_t index = 0;
    size_t wrong = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        const char *folder = json_string_value(json_object_get(entry, "folder"));
        if (!folder || !json_is_string(json_object_get(entry, "text"))) {
            fail_msg("hard prompt %zu has no folder or text", index);
        }
        if (strcmp(folder, open) != 0) {
            pld_clip_tokenizer_close(tokenizer);
            const char *other = getenv("PLADIS_TOKENIZER_FOLDER");
            tokenizer = open_reference(other ? other : folder);
            open = folder;
        }
        wrong += !same_ids(tokenizer, json_object_get(entry, "text"), json_object_get(entry, "ids"));
    }
    print_message("%zu of %zu hard prompts agree\n", index - wrong, index);
    assert_int_equal(wrong, 0);
    json_decref(document);
    pld_clip_tokenizer_close(tokenizer);
}

/** Bytes that are not UTF-8 are what Python's decoder replaces by U+FFFD: cut-off, overlong and too long
 * forms, surrogates alone and in pairs, other encodings. */
static void bytes_have_the_ids_of_their_replacement(void **state) {
    (void)state;
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data("byte_cases.json"), &document);
    size_t index = 0;
    size_t wrong = 0;
    json_t *entry = NULL;
    json_array_foreach(cases, index, entry) {
        const char *digits = json_string_value(json_object_get(entry, "bytes"));
        const json_t *text = json_object_get(entry, "text");
        char bytes[1024];
        char *clean = NULL;
        size_t length = strlen(digits) / 2;
        size_t clean_length = 0;
        assert_true(length <= sizeof bytes);
        for (size_t i = 0; i < length; i++) {
            char pair[3] = {digits[2 * i], digits[2 * i + 1], 0};
            bytes[i] = (char)strtoul(pair, NULL, 16);
        }
        clean = pld_utf8_clean(bytes, length, &clean_length);
        assert_non_null(clean);
        assert_int_equal(clean_length, json_string_length(text));
        assert_memory_equal(clean, json_string_value(text), clean_length);
        pld_free(clean);
        json_t *raw = json_stringn_nocheck(bytes, length);
        wrong += !same_ids(tokenizer, raw, json_object_get(entry, "ids"));
        wrong += !same_ids(tokenizer, text, json_object_get(entry, "ids"));
        json_decref(raw);
    }
    assert_true(index > 100);
    assert_int_equal(wrong, 0);
    json_decref(document);
    pld_clip_tokenizer_close(tokenizer);
}

static void settings_are_read(void **state) {
    (void)state;
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    assert_int_equal(pld_clip_start_id(tokenizer), 1158);
    assert_int_equal(pld_clip_end_id(tokenizer), 1159);
    assert_int_equal(pld_clip_pad_id(tokenizer), 1159);
    assert_int_equal(pld_clip_model_max_length(tokenizer), 77);
    assert_string_equal(pld_clip_piece(tokenizer, 0), "!");
    assert_string_equal(pld_clip_piece(tokenizer, 1159), "<|endoftext|>");
    assert_null(pld_clip_piece(tokenizer, 1160));
    assert_null(pld_clip_piece(tokenizer, -1));
    pld_clip_tokenizer_close(tokenizer);
    tokenizer = open_reference("clip_pad_zero");
    assert_int_equal(pld_clip_pad_id(tokenizer), 0);
    pld_clip_tokenizer_close(tokenizer);
}

static void ill_formed_utf8_becomes_replacement_characters(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        const char *clean;
    } rows[] = {
        {"a\xff"
         "b",
         "a\xEF\xBF\xBD"
         "b"},
        {"\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xE2\x82", "\xEF\xBF\xBD"},
        {"\xE2\x82x", "\xEF\xBF\xBDx"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x9F\x98\x80\x80", "\xF0\x9F\x98\x80\xEF\xBF\xBD"},
    };
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = 0;
        char *clean = pld_utf8_clean(rows[i].bytes, strlen(rows[i].bytes), &length);
        assert_string_equal(clean, rows[i].clean);
        assert_int_equal(length, strlen(rows[i].clean));
        pld_token_list raw = {0};
        pld_token_list cleaned = {0};
        assert_int_equal(pld_clip_encode(tokenizer, rows[i].bytes, strlen(rows[i].bytes), &raw, NULL),
                         PLD_OK);
        assert_int_equal(pld_clip_encode(tokenizer, clean, length, &cleaned, NULL), PLD_OK);
        assert_int_equal(raw.count, cleaned.count);
        assert_memory_equal(raw.ids, cleaned.ids, raw.count * sizeof *raw.ids);
        pld_token_list_free(&raw);
        pld_token_list_free(&cleaned);
        pld_free(clean);
    }
    pld_clip_tokenizer_close(tokenizer);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void a_megabyte_of_anything_is_encoded_in_seconds(void **state) {
    (void)state;
    /* Letters without a space, marks out of order, signs, special tokens, ill-formed bytes. */
    static const char *const patterns[] = {"abinthe", "\xCC\x81\xCC\xA3", "!?'", "<|endoftext|>", "\xff",
                                           "a "};
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    size_t size = 1 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t period = strlen(patterns[i]);
        for (size_t at = 0; at < size; at++) {
            text[at] = patterns[i][at % period];
        }
        pld_token_list ids = {0};
        double start = seconds();
        assert_int_equal(pld_clip_encode(tokenizer, text, size, &ids, NULL), PLD_OK);
        assert_true(ids.count > 1000);
        assert_true(seconds() - start < 30); /* quadratic time would take hours */
        pld_token_list_free(&ids);
    }
    free(text);
    pld_clip_tokenizer_close(tokenizer);
}

enum { THREADS = 4 };

static void *encode_in_thread(void *argument) {
    const pld_clip_tokenizer *tokenizer = argument;
    static const char prompt[] = "A photo of it's 2 cats\xCC\x81, <|endoftext|> \xE6\x97\xA5\xE6\x9C\xAC!";
    pld_token_list first = {0};
    bool same = pld_clip_encode(tokenizer, prompt, strlen(prompt), &first, NULL) == PLD_OK;
    for (int round = 0; round < 200 && same; round++) {
        pld_token_list again = {0};
        same = pld_clip_encode(tokenizer, prompt, strlen(prompt), &again, NULL) == PLD_OK &&
               again.count == first.count &&
               memcmp(again.ids, first.ids, first.count * sizeof *first.ids) == 0;
        pld_token_list_free(&again);
    }
    pld_token_list_free(&first);
    return same ? argument : NULL;
}

static void threads_share_a_tokenizer(void **state) {
    (void)state;
    pld_clip_tokenizer *tokenizer = open_reference("clip");
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, encode_in_thread, tokenizer), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, tokenizer);
    }
    pld_clip_tokenizer_close(tokenizer);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    pld_clip_tokenizer *tokenizer = NULL;
    long countdown = 0;
    pld_status status = PLD_ERROR_MEMORY;
    static const char tiny_vocabulary[] =
        "{\"a\":0,\"a</w>\":1,\"aa</w>\":2,\"<|startoftext|>\":3,\"<|endoftext|>\":4}";
    static const char tiny_merges[] = "#version: 0.2\na a</w>\n";
    static const char tiny_map[] =
        "{\"pad_token\": \"!\", \"bos_token\": {\"content\": \"<|startoftext|>\"}}";
    static const char tiny_added[] = "{\"!\": 5, \"new\": 6}";
    const pld_clip_files files = {.folder = "tiny",
                                  .vocabulary = {tiny_vocabulary, strlen(tiny_vocabulary)},
                                  .merges = {tiny_merges, strlen(tiny_merges)},
                                  .special_tokens = {tiny_map, strlen(tiny_map)},
                                  .added_tokens = {tiny_added, strlen(tiny_added)}};
    for (countdown = 0; countdown < 1000; countdown++) {
        pld_error error = {0};
        pld_inject_allocation_failure(countdown);
        status = pld_clip_tokenizer_parse(&files, &tokenizer, &error);
        pld_inject_allocation_failure(-1);
        if (status == PLD_OK) {
            break;
        }
        assert_int_equal(status, PLD_ERROR_MEMORY);
        assert_null(tokenizer);
        assert_true(error.message[0]);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 20);
    assert_int_equal(pld_clip_pad_id(tokenizer), 5);
    pld_token_list ids = {0};
    for (countdown = 0; countdown < 1000; countdown++) {
        pld_inject_allocation_failure(countdown);
        status = pld_clip_encode(tokenizer, "aa!AA new b", 11, &ids, NULL);
        pld_inject_allocation_failure(-1);
        if (status == PLD_OK) {
            break;
        }
        assert_int_equal(status, PLD_ERROR_MEMORY);
        assert_int_equal(ids.count, 0);
    }
    assert_int_equal(status, PLD_OK);
    static const int32_t expected[] = {2, 5, 2, 6, 4};
    assert_int_equal(ids.count, 5);
    assert_memory_equal(ids.ids, expected, sizeof expected);
    pld_token_list_free(&ids);
    pld_clip_tokenizer_close(tokenizer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_prompts_have_the_ids_of_transformers),
        cmocka_unit_test(hard_prompts_have_the_ids_of_transformers),
        cmocka_unit_test(bytes_have_the_ids_of_their_replacement),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(ill_formed_utf8_becomes_replacement_characters),
        cmocka_unit_test(a_megabyte_of_anything_is_encoded_in_seconds),
        cmocka_unit_test(threads_share_a_tokenizer),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
