/* SPDX-License-Identifier: Apache-2.0 */
/* Tokenizer folders: every accepted form of the files, and every malformed one with its message. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "temporary_folder.h"
#include "tokenizer_data.h"

static const char good_vocabulary[] =
    "{\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2, \"<|startoftext|>\": 3, \"<|endoftext|>\": 4}";
static const char good_merges[] = "#version: 0.2\na a</w>\n";

/** Files of one folder; NULL: not there. */
typedef struct folder {
    const char *vocabulary;
    const char *merges;
    const char *configuration;
    const char *special_tokens;
    const char *added_tokens;
    const char *tokenizer;
} folder;

static pld_status open_folder(const folder *files, pld_clip_tokenizer **tokenizer, pld_error *error) {
    const struct {
        const char *name;
        const char *text;
    } rows[] = {{"vocab.json", files->vocabulary},
                {"merges.txt", files->merges},
                {"tokenizer_config.json", files->configuration},
                {"special_tokens_map.json", files->special_tokens},
                {"added_tokens.json", files->added_tokens},
                {"tokenizer.json", files->tokenizer}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        remove(in_folder(rows[i].name));
        if (rows[i].text) {
            write_text(rows[i].name, rows[i].text);
        }
    }
    return pld_clip_tokenizer_open(temporary_folder, tokenizer, error);
}

/** The folder is refused with this status, and the message holds all of `words` (separated by '|'). */
static void refuse(folder files, pld_status expected, const char *words) {
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    pld_status status = open_folder(&files, &tokenizer, &error);
    if (status != expected) {
        fail_msg("expected '%s', found status %d '%s'", words, (int)status, error.message);
    }
    assert_null(tokenizer);
    char copy[256];
    snprintf(copy, sizeof copy, "%s", words);
    char *rest = NULL;
    for (char *word = strtok_r(copy, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
        if (!strstr(error.message, word)) {
            fail_msg("'%s' is not in: %s", word, error.message);
        }
    }
}

/** The folder is accepted and gives these ids for the text. */
static void accept(folder files, const char *text, const int32_t *ids, size_t count) {
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    if (open_folder(&files, &tokenizer, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    pld_token_list found = {0};
    assert_int_equal(pld_clip_encode(tokenizer, text, strlen(text), &found, &error), PLD_OK);
    assert_int_equal(found.count, count);
    assert_memory_equal(found.ids, ids, count * sizeof *ids);
    pld_token_list_free(&found);
    pld_clip_tokenizer_close(tokenizer);
}

#define ACCEPT(files, text, ...)                                                                             \
    accept(files, text, (const int32_t[]){__VA_ARGS__},                                                      \
           sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static void vocabularies_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "vocab.json"},
        {"{}", "vocab.json|found 0 pieces"},
        {"[1]", "vocab.json|an object|a list of 1"},
        {"{\"a\": 0, \"a\": 1}", "vocab.json|duplicate"},
        {"{\"a\": 0, \"b\": 0}", "vocab.json|a different id|'a' and 'b'"},
        {"{\"a\": -1}", "vocab.json|field 'a'|from 0|-1"},
        {"{\"a\": 0, \"b\": 2}", "vocab.json|field 'b'|from 0 to 1|2"},
        {"{\"a\": 4294967296}", "vocab.json|4294967296"},
        {"{\"a\": 2147483648}", "vocab.json|2147483648"},
        {"{\"a\": 99999999999999999999}", "vocab.json|integer"},
        {"{\"a\": 0.0}", "vocab.json|field 'a'"},
        {"{\"a\": \"0\"}", "vocab.json|the string '0'"},
        {"{\"a\": null}", "vocab.json|field 'a'"},
        {"{\"\xff\": 0}", "vocab.json|0xff"},
        {"{\"a\\u0000b\": 0}", "vocab.json"},
        {"{\"a\": 0", "vocab.json|line 1"},
        {"{\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2, \"<|endoftext|>\": 3}", "bos_token|startoftext"},
        {"{\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2, \"<|startoftext|>\": 3}", "eos_token|endoftext"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refuse((folder){.vocabulary = rows[i].text, .merges = good_merges}, PLD_ERROR_FORMAT, rows[i].words);
    }
}

static void merges_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"", "merges.txt|empty"},
        {"#version: 0.2\na\n", "merges.txt|merge 1|two pieces|'a'"},
        {"a a</w>\na a a\n", "merges.txt|merge 2|'a a a'"},
        {"a a</w>\n\n", "merges.txt|merge 2"},
        {" a\n", "merges.txt|merge 1"},
        {"a \n", "merges.txt|merge 1"},
        {"a  a</w>\n", "merges.txt|merge 1"},
        {"x a</w>\n", "merges.txt|merge 1|the first part|'x'"},
        {"a x\n", "merges.txt|merge 1|the second part|'x'"},
        {"a a\n", "merges.txt|merge 1|make together|'aa'"},
        {"a \xff\n", "merges.txt|line 1|UTF-8|0xff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refuse((folder){.vocabulary = good_vocabulary, .merges = rows[i].text}, PLD_ERROR_FORMAT,
               rows[i].words);
    }
    ACCEPT(((folder){.vocabulary = good_vocabulary, .merges = "a a</w>"}), "aa a", 2, 1);
    ACCEPT(((folder){.vocabulary = good_vocabulary, .merges = "#version: 0.2\r\na a</w>\r\n"}), "aaa", 0, 2);
}

static void missing_files_are_named(void **state) {
    (void)state;
    refuse((folder){0}, PLD_ERROR_MISSING, "tokenizer.json|vocab.json|merges.txt|found no vocab.json");
    refuse((folder){.vocabulary = good_vocabulary}, PLD_ERROR_MISSING, "found no merges.txt");
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    assert_int_equal(pld_clip_tokenizer_open("/no/such/folder", &tokenizer, &error), PLD_ERROR_MISSING);
    assert_non_null(strstr(error.message, "/no/such/folder"));
    remove(in_folder("vocab.json"));
    assert_int_equal(mkdir(in_folder("vocab.json"), 0700), 0);
    assert_int_not_equal(pld_clip_tokenizer_open(temporary_folder, &tokenizer, &error), PLD_OK);
    assert_non_null(strstr(error.message, "vocab.json"));
    assert_int_equal(rmdir(in_folder("vocab.json")), 0);
}

static void giants_are_refused(void **state) {
    (void)state;
    write_text("vocab.json", good_vocabulary);
    write_text("merges.txt", good_merges);
    assert_int_equal(truncate(in_folder("merges.txt"), (100L << 20) + 1), 0); /* a hole, no real 100 MiB */
    pld_clip_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    assert_int_equal(pld_clip_tokenizer_open(temporary_folder, &tokenizer, &error), PLD_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "merges.txt"));
    assert_non_null(strstr(error.message, "104857601"));
}

static void settings_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *configuration;
        pld_status status;
        const char *words;
    } rows[] = {
        {"", PLD_ERROR_FORMAT, "tokenizer_config.json"},
        {"[]", PLD_ERROR_FORMAT, "tokenizer_config.json"},
        {"{\"pad_token\": 5}", PLD_ERROR_FORMAT, "tokenizer_config.json|pad_token|5"},
        {"{\"pad_token\": {}}", PLD_ERROR_FORMAT, "tokenizer_config.json|content"},
        {"{\"pad_token\": {\"content\": 1}}", PLD_ERROR_FORMAT, "content|1"},
        {"{\"pad_token\": \"x\"}", PLD_ERROR_FORMAT, "pad_token|'x'"},
        {"{\"pad_token\": \"\"}", PLD_ERROR_FORMAT, "pad_token|''"},
        {"{\"unk_token\": \"x\"}", PLD_ERROR_FORMAT, "unk_token|'x'"},
        {"{\"bos_token\": {\"content\": \"a\", \"normalized\": 1}}", PLD_ERROR_FORMAT, "normalized"},
        {"{\"bos_token\": {\"content\": \"a\", \"single_word\": true}}", PLD_ERROR_UNSUPPORTED,
         "single_word"},
        {"{\"model_max_length\": -1}", PLD_ERROR_FORMAT, "model_max_length|-1"},
        {"{\"model_max_length\": \"77\"}", PLD_ERROR_FORMAT, "model_max_length|'77'"},
        {"{\"padding_side\": \"left\"}", PLD_ERROR_UNSUPPORTED, "padding_side|'left'"},
        {"{\"truncation_side\": \"left\"}", PLD_ERROR_UNSUPPORTED, "truncation_side|'left'"},
        {"{\"split_special_tokens\": true}", PLD_ERROR_UNSUPPORTED, "split_special_tokens"},
        {"{\"tokenizer_class\": \"T5Tokenizer\"}", PLD_ERROR_UNSUPPORTED, "CLIPTokenizer|'T5Tokenizer'"},
        {"{\"added_tokens_decoder\": []}", PLD_ERROR_FORMAT, "added_tokens_decoder"},
        {"{\"added_tokens_decoder\": {\"x\": {\"content\": \"a\"}}}", PLD_ERROR_FORMAT,
         "added_tokens_decoder"},
        {"{\"added_tokens_decoder\": {\"9999999999999999999\": {\"content\": \"a\"}}}", PLD_ERROR_FORMAT,
         "added_tokens_decoder"},
        {"{\"added_tokens_decoder\": {\"1\": \"a\"}}", PLD_ERROR_FORMAT, "added_tokens_decoder"},
        {"{\"added_tokens_decoder\": {\"1\": {\"content\": \"a\"}}}", PLD_ERROR_FORMAT, "'a'|id 0|found 1"},
        {"{\"added_tokens_decoder\": {\"7\": {\"content\": \"new\"}}}", PLD_ERROR_FORMAT,
         "'new'|id 5|found 7"},
        {"{\"added_tokens_decoder\": {\"0\": {\"content\": \"a\"}, \"00\": {\"content\": \"b\"}}}",
         PLD_ERROR_FORMAT, "both have id 0"},
        {"{\"additional_special_tokens\": 3}", PLD_ERROR_FORMAT, "additional_special_tokens"},
        {"{\"additional_special_tokens\": [3]}", PLD_ERROR_FORMAT, "additional_special_tokens"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refuse((folder){.vocabulary = good_vocabulary,
                        .merges = good_merges,
                        .configuration = rows[i].configuration},
               rows[i].status, rows[i].words);
    }
    folder added = {.vocabulary = good_vocabulary, .merges = good_merges, .added_tokens = "{\"new\": 6}"};
    refuse(added, PLD_ERROR_FORMAT, "'new'|id 5|found 6");
    added.added_tokens = "{\"new\": \"5\"}";
    refuse(added, PLD_ERROR_FORMAT, "added_tokens.json|'5'");
}

static void tokenizer_json_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        pld_status status;
        const char *words;
    } rows[] = {
        {"", PLD_ERROR_FORMAT, "tokenizer.json"},
        {"{}", PLD_ERROR_FORMAT, "tokenizer.json|model"},
        {"{\"model\": {\"type\": \"Unigram\"}}", PLD_ERROR_UNSUPPORTED, "BPE|'Unigram'"},
        {"{\"model\": {\"vocab\": []}}", PLD_ERROR_FORMAT, "model.vocab"},
        {"{\"model\": {\"vocab\": {\"a\": 0}}}", PLD_ERROR_FORMAT, "merges"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [1]}}", PLD_ERROR_FORMAT, "merge 1"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}", PLD_ERROR_FORMAT, "merge 1"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a a\"]}}", PLD_ERROR_FORMAT, "'aa'"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [3]}", PLD_ERROR_FORMAT,
         "added_tokens[0]"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [{\"id\": -1, \"content\": "
         "\"a\"}]}",
         PLD_ERROR_FORMAT, "added_tokens[0].id"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        refuse((folder){.tokenizer = rows[i].text}, rows[i].status, rows[i].words);
    }
    static const char good[] =
        "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2}, \"merges\": "
        "[[\"a\", \"a</w>\"]]},"
        " \"added_tokens\": [{\"id\": 4, \"content\": \"<|endoftext|>\", \"special\": true},"
        " {\"id\": 3, \"content\": \"<|startoftext|>\", \"special\": true}]}";
    /* It wins over the other two files, as in transformers. */
    ACCEPT(((folder){.tokenizer = good, .vocabulary = "nonsense", .merges = ""}), "aa<|endoftext|>a", 2, 4,
           1);
}

static void flags_decide_where_special_tokens_are_found(void **state) {
    (void)state;
    folder files = {.vocabulary = good_vocabulary, .merges = good_merges};
    /* Given as a string: found as written alone. */
    ACCEPT(files, "a<|endoftext|>", 1, 4);
    ACCEPT(files, "a<|STARTOFTEXT|>a", 1, 4, 4, 4, 4, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1);
    files.configuration = "{\"bos_token\": {\"content\": \"<|startoftext|>\", \"normalized\": true}}";
    ACCEPT(files, "a<|STARTOFTEXT|>a", 1, 3, 1);
    /* The map overrides; without the flag its tokens are not normalised. */
    files.special_tokens = "{\"bos_token\": {\"content\": \"<|startoftext|>\"}}";
    ACCEPT(files, "<|startoftext|>a", 3, 1);
    /* New tokens get the ids after the vocabulary; the longest that begins first is taken. */
    files = (folder){
        .vocabulary = good_vocabulary,
        .merges = good_merges,
        .configuration =
            "{\"model_max_length\": 1000000000000000019884624838656,"
            " \"added_tokens_decoder\": {\"6\": {\"content\": \"Xaa\"}, \"5\": {\"content\": \"xA\"},"
            " \"4\": {\"content\": \"<|endoftext|>\"}}}"};
    ACCEPT(files, "xaa XAa", 6, 6);
    ACCEPT(files, "xaXaa", 5, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocabularies_are_checked),
        cmocka_unit_test(merges_are_checked),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(giants_are_refused),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(tokenizer_json_is_checked),
        cmocka_unit_test(flags_decide_where_special_tokens_are_found),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
