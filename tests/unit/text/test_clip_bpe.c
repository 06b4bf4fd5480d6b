/* SPDX-License-Identifier: Apache-2.0 */
/** CLIP's published vocabulary: ids of hard prompts equal those of transformers' CLIPTokenizer made from it,
 * and damaged lists are refused. PLADIS_VOCABULARY names the file; ./dev setup fetches it. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "temporary_folder.h"
#include "text/clip/bpe.h"
#include "tokenizer_data.h"

static const char *vocabulary(void) {
    const char *named = getenv("PLADIS_VOCABULARY");
    return named ? named : PLADIS_TEST_VOCABULARY;
}

/** Whether the ids of a case are those that transformers gives. */
static bool same_ids(const pld_clip_tokenizer *tokenizer, const json_t *entry) {
    const json_t *text = json_object_get(entry, "text");
    const json_t *expected = json_object_get(entry, "ids");
    pld_token_list ids = {0};
    assert_int_equal(
        pld_clip_encode(tokenizer, json_string_value(text), json_string_length(text), &ids, NULL), PLD_OK);
    bool same = json_array_size(expected) == ids.count + 2;
    for (size_t i = 0; same && i < ids.count; i++) {
        same = json_integer_value(json_array_get(expected, i + 1)) == ids.ids[i];
    }
    if (!same) {
        print_error("other ids for '%s'\n", json_string_value(text));
    }
    pld_token_list_free(&ids);
    return same;
}

/** The two ways in which encoders pad; a pad token of its own is also cut out of prompts. */
static void published_vocabulary_has_the_ids_of_transformers(void **state) {
    (void)state;
    static const char *const folders[] = {"published", "published_pad_zero"};
    static const char *const pads[] = {"<|endoftext|>", "!"};
    static const int32_t pad_ids[] = {49407, 0};
    json_t *document = NULL;
    json_t *cases = load_cases(tokenizer_data("published_cases.json"), &document);
    for (int i = 0; i < 2; i++) {
        pld_clip_tokenizer *tokenizer = NULL;
        assert_int_equal(pld_clip_bpe_open(vocabulary(), pads[i], &tokenizer, NULL), PLD_OK);
        assert_int_equal(pld_clip_vocabulary_size(tokenizer), 49408);
        assert_int_equal(pld_clip_start_id(tokenizer), 49406);
        assert_int_equal(pld_clip_end_id(tokenizer), 49407);
        assert_int_equal(pld_clip_pad_id(tokenizer), pad_ids[i]);
        size_t index = 0;
        size_t compared = 0;
        size_t wrong = 0;
        json_t *entry = NULL;
        json_array_foreach(cases, index, entry) {
            if (strcmp(json_string_value(json_object_get(entry, "folder")), folders[i]) == 0) {
                wrong += !same_ids(tokenizer, entry);
                compared++;
            }
        }
        assert_true(compared > 200);
        assert_int_equal(wrong, 0);
        pld_clip_tokenizer_close(tokenizer);
    }
    json_decref(document);
}

static void expect_refusal(const char *path, pld_status wanted, const char *part) {
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    assert_int_equal(pld_clip_bpe_open(path, "!", &tokenizer, &error), wanted);
    assert_null(tokenizer);
    if (!strstr(error.message, part)) {
        fail_msg("expected '%s' in: %s", part, error.message);
    }
}

static void damaged_lists_are_refused(void **state) {
    (void)state;
    expect_refusal(in_folder("nothing.txt"), PLD_ERROR_MISSING, "no such file");
    expect_refusal(in_folder(""), PLD_ERROR_IO, "regular file");
    write_text("empty.txt", "");
    expect_refusal(in_folder("empty.txt"), PLD_ERROR_FORMAT, "line 2");
    write_text("short.txt", "#version\na b\nc d\n");
    expect_refusal(in_folder("short.txt"), PLD_ERROR_FORMAT, "line 4");
    write_text("three.txt", "#version\na b\nc d e\n");
    expect_refusal(in_folder("three.txt"), PLD_ERROR_FORMAT, "line 3");
    write_text("control.txt", "#version\na \x01z\n");
    expect_refusal(in_folder("control.txt"), PLD_ERROR_FORMAT, "line 2");
    write_text("cut.gz", "\x1f\x8b\x08");
    expect_refusal(in_folder("cut.gz"), PLD_ERROR_FORMAT, "");
    gzFile bomb = gzopen(in_folder("bomb.gz"), "wb");
    static char zeros[1 << 20];
    for (int i = 0; i < 64; i++) {
        gzwrite(bomb, zeros, sizeof zeros);
    }
    gzclose(bomb);
    expect_refusal(in_folder("bomb.gz"), PLD_ERROR_FORMAT, "more than 16 MB");
}

int main(void) {
    enum { SKIPPED = 77 }; /* what meson shows as such */
    const struct CMUnitTest always[] = {cmocka_unit_test(damaged_lists_are_refused)};
    const struct CMUnitTest with_vocabulary[] = {
        cmocka_unit_test(published_vocabulary_has_the_ids_of_transformers)};
    int failures = cmocka_run_group_tests(always, make_temporary_folder, remove_temporary_folder);
    if (access(vocabulary(), R_OK) != 0) {
        print_message("SKIPPED: %s is not there; './dev setup' fetches CLIP's vocabulary\n", vocabulary());
        return failures ? failures : SKIPPED;
    }
    return failures + cmocka_run_group_tests(with_vocabulary, NULL, NULL);
}
