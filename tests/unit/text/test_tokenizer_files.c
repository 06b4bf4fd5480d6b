/* SPDX-License-Identifier: Apache-2.0 */
/** Files of tokenizers that are damaged, contradict each other or say what is not supported: refused by
 *  name, with what was expected and found. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "temporary_folder.h"
#include "text/tokenizer.h"
#include "tokenizer_data.h"

#define BPE(vocabulary, merges)                                                                              \
    "{\"model\":{\"type\":\"BPE\",\"vocab\":" vocabulary ",\"merges\":" merges "}}"
#define UNIGRAM(vocabulary, more) "{\"model\":{\"type\":\"Unigram\",\"vocab\":" vocabulary more "}}"
#define WITH(more)                "{" more ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}"

/** A file that alone makes a tokenizer, and what is said of it. */
static const struct {
    pld_tokenizer_file file;
    const char *text;
    pld_status status;
    const char *message;
} rows[] = {
    {PLD_TOKENIZER_JSON, BPE("{}", "[]"), PLD_ERROR_FORMAT, "found no piece"},
    {PLD_TOKENIZER_JSON, BPE("[]", "[]"), PLD_ERROR_FORMAT, "model.vocab"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0", "[]"), PLD_ERROR_FORMAT, "not valid JSON"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"b\":0}", "[]"), PLD_ERROR_FORMAT,
     "a different id for every piece, found 0"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"a\":1}", "[]"), PLD_ERROR_FORMAT, "every piece once, found 'a'"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":-1}", "[]"), PLD_ERROR_FORMAT, "expected an id"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":1.5}", "[]"), PLD_ERROR_FORMAT, "expected an id"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":01}", "[]"), PLD_ERROR_FORMAT, "expected an id"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":1048576}", "[]"), PLD_ERROR_FORMAT,
     "an id from 0 to 1048575, found 1048576"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\" 1}", "[]"), PLD_ERROR_FORMAT, "expected ':', found '1}"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":1 \"b\":2}", "[]"), PLD_ERROR_FORMAT, "expected ','"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\\x\":0}", "[]"), PLD_ERROR_FORMAT, "escapes of JSON"},
    {PLD_TOKENIZER_JSON, BPE("{\"\\ud800\":0}", "[]"), PLD_ERROR_FORMAT, "escapes of JSON"},
    {PLD_TOKENIZER_JSON, BPE("{\"\xff\":0}", "[]"), PLD_ERROR_FORMAT, "string in UTF-8"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\n\":0}", "[]"), PLD_ERROR_FORMAT, "without control characters"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"b\":1}", "[\"a b\"]"), PLD_ERROR_FORMAT,
     "merge 1: expected the piece that the two parts make"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"b\":1}", "[\"a c\"]"), PLD_ERROR_FORMAT, "the second part"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"aa\":1}", "[\"a a\",\"aa\"]"), PLD_ERROR_FORMAT,
     "merge 2: expected two pieces"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"aa\":1}", "[[\"a\",\"a\"],[\"\",\"a\"]]"), PLD_ERROR_FORMAT,
     "merge 2"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0,\"aa\":1}", "[[\"a\"]]"), PLD_ERROR_FORMAT, "expected ','"},
    {PLD_TOKENIZER_JSON, BPE("{\"a\":0}", "{}"), PLD_ERROR_FORMAT, "model.merges"},
    {PLD_TOKENIZER_JSON, UNIGRAM("[]", ",\"unk_id\":0"), PLD_ERROR_FORMAT, "expected pieces, found none"},
    {PLD_TOKENIZER_JSON, UNIGRAM("[[\"a\",-1]]", ""), PLD_ERROR_FORMAT, "unk_id"},
    {PLD_TOKENIZER_JSON, UNIGRAM("[[\"a\",-1]]", ",\"unk_id\":1"), PLD_ERROR_FORMAT, "below 1, found 1"},
    {PLD_TOKENIZER_JSON, UNIGRAM("[[\"a\",1e999]]", ",\"unk_id\":0"), PLD_ERROR_FORMAT, "expected a number"},
    {PLD_TOKENIZER_JSON, UNIGRAM("[[\"a\",\"1\"]]", ",\"unk_id\":0"), PLD_ERROR_FORMAT, "expected a number"},
    {PLD_TOKENIZER_JSON, UNIGRAM("{\"a\":1}", ",\"unk_id\":0"), PLD_ERROR_FORMAT, "model.vocab"},
    {PLD_TOKENIZER_JSON, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", PLD_ERROR_UNSUPPORTED,
     "found 'WordPiece'"},
    {PLD_TOKENIZER_JSON, "{\"model\":{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":{\"a\":0},\"merges\":[]}}",
     PLD_ERROR_UNSUPPORTED, "dropout"},
    {PLD_TOKENIZER_JSON,
     "{\"model\":{\"type\":\"BPE\",\"continuing_subword_prefix\":\"##\",\"vocab\":{\"a\":0},\"merges\":[]}}",
     PLD_ERROR_UNSUPPORTED, "'##'"},
    {PLD_TOKENIZER_JSON,
     "{\"model\":{\"type\":\"BPE\",\"unk_token\":\"u\",\"vocab\":{\"a\":0},\"merges\":[]}}", PLD_ERROR_FORMAT,
     "found 'u'"},
    {PLD_TOKENIZER_JSON, WITH("\"normalizer\":{\"type\":\"NFKC\"}"), PLD_ERROR_UNSUPPORTED,
     "normalizer 'NFKC'"},
    {PLD_TOKENIZER_JSON, WITH("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AA\"}"),
     PLD_ERROR_FORMAT, "precompiled_charsmap"},
    {PLD_TOKENIZER_JSON, WITH("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"A-\"}"),
     PLD_ERROR_FORMAT, "not base64"},
    {PLD_TOKENIZER_JSON,
     WITH("\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"/////wAA\"}"),
     PLD_ERROR_FORMAT, "a table of an impossible size"},
    {PLD_TOKENIZER_JSON,
     WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\C\"},\"behavior\":"
          "\"Isolated\"}"),
     PLD_ERROR_UNSUPPORTED, "regular expression '\\C'"},
    {PLD_TOKENIZER_JSON, WITH("\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}"), PLD_ERROR_UNSUPPORTED,
     "pre_tokenizer 'BertPreTokenizer'"},
    {PLD_TOKENIZER_JSON,
     WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"}"),
     PLD_ERROR_UNSUPPORTED, "regular expression '('"},
    {PLD_TOKENIZER_JSON,
     WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a\"},\"behavior\":\"Other\"}"),
     PLD_ERROR_FORMAT, "pre_tokenizer.behavior"},
    {PLD_TOKENIZER_JSON,
     WITH("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},{\"type\":"
          "\"ByteLevel\"}]}"),
     PLD_ERROR_UNSUPPORTED, "the last step"},
    {PLD_TOKENIZER_JSON, WITH("\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"x\":0"), PLD_OK, NULL},
    {PLD_TOKENIZER_JSON, WITH("\"added_tokens\":[{\"id\":3,\"content\":\"a\"}]"), PLD_ERROR_FORMAT,
     "expected id 0, its place"},
    {PLD_TOKENIZER_JSON, WITH("\"added_tokens\":[{\"id\":0,\"content\":\"b\"}]"), PLD_ERROR_FORMAT,
     "found 0 for 'a' and 'b'"},
    {PLD_TOKENIZER_JSON, WITH("\"added_tokens\":[{\"content\":\"b\"}]"), PLD_ERROR_FORMAT,
     "added_tokens[0].id"},
    {PLD_TOKENIZER_JSON,
     WITH("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"q\"}}]"
          "}"),
     PLD_ERROR_UNSUPPORTED, "found 'q'"},
    {PLD_TOKENIZER_JSON, "{\"model\":1}", PLD_ERROR_FORMAT, "'model'"},
    {PLD_TOKENIZER_JSON, "{}", PLD_ERROR_FORMAT, "'model' is missing"},
    {PLD_TOKENIZER_MODEL,
     "\x0a\x05\x0a\x01"
     "a",
     PLD_ERROR_FORMAT, "goes beyond the end"},
    {PLD_TOKENIZER_MODEL, "\x0a\x03\x0a\x01\xff", PLD_ERROR_FORMAT, "not UTF-8"},
    {PLD_TOKENIZER_MODEL, "\x0a\x02\x10\x01", PLD_ERROR_FORMAT, "piece 0"},
    {PLD_TOKENIZER_MODEL,
     "\x0a\x08\x0a\x01"
     "a\x15\x01\x01\xc0\x7f",
     PLD_ERROR_FORMAT, "a score that is not a number"},
    {PLD_TOKENIZER_MODEL,
     "\x0a\x03\x0a\x01"
     "a\x12\x02\x18\x03",
     PLD_ERROR_UNSUPPORTED, "model_type: expected 1 (Unigram) or 2 (BPE), found 3"},
    {PLD_TOKENIZER_MODEL,
     "\x0a\x03\x0a\x01"
     "a\x12\x03\xc0\x02\x05",
     PLD_ERROR_FORMAT, "unk_id"},
    {PLD_TOKENIZER_MODEL, "\x0b\x01", PLD_ERROR_FORMAT, "unknown type"},
    {PLD_TOKENIZER_MODEL, "\x22\x01x", PLD_ERROR_FORMAT, "found no piece"},
    {PLD_TOKENIZER_VOCABULARY, "{\"a\":0}", PLD_ERROR_MISSING, "merges.txt"},
};

static void damaged_files_are_refused_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {0};
        pld_tokenizer *tokenizer = NULL;
        pld_error error = {0};
        files[rows[i].file] = (pld_tokenizer_data){"FILE", rows[i].text, strlen(rows[i].text)};
        const pld_status status = pld_tokenizer_parse(files, "folder", &tokenizer, &error);
        if (!rows[i].message) { /* the byte-level one: its only piece is a letter of a byte */
            assert_int_equal(status, PLD_OK);
            pld_tokenizer_close(tokenizer);
            continue;
        }
        if (status != rows[i].status || !strstr(error.message, rows[i].message) ||
            strncmp(error.message, "FILE: ", 6) != 0) {
            fail_msg("row %zu: '%s' (%d), expected '%s' (%d)", i, error.message, (int)status, rows[i].message,
                     (int)rows[i].status);
        }
        assert_null(tokenizer);
    }
}

/** Settings beside a tokenizer of one letter, and what is said of them. */
static void settings_that_change_ids_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } settings[] = {
        {"{\"split_special_tokens\":true}", "split_special_tokens"},
        {"{\"added_tokens_decoder\":{\"x\":{\"content\":\"b\"}}}", "a key that is a token id"},
        {"{\"added_tokens_decoder\":{\"5\":{\"content\":\"a\"}}}", "expected id 0"},
        {"{\"bos_token\":7}", "a token, as a string"},
        {"{\"model_max_length\":-5}", "model_max_length"},
        {"{\"add_bos_token\":\"yes\"}", "add_bos_token"},
    };
    static const char text[] = BPE("{\"a\":0}", "[]");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {
            [PLD_TOKENIZER_JSON] = {"tokenizer.json", text, sizeof text - 1},
            [PLD_TOKENIZER_CONFIGURATION] = {"FILE", settings[i].text, strlen(settings[i].text)}};
        pld_tokenizer *tokenizer = NULL;
        pld_error error = {0};
        assert_int_not_equal(pld_tokenizer_parse(files, "folder", &tokenizer, &error), PLD_OK);
        if (!strstr(error.message, settings[i].message) || strncmp(error.message, "FILE: ", 6) != 0) {
            fail_msg("row %zu: '%s'", i, error.message);
        }
    }
}

/** tokenizer.json with one "Precompiled" step, which makes of 'a' what begins at `place` of `texts`, and
 *  after it NFC. */
static char *write_charsmap(uint32_t place, const char *texts, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { UNITS = 1024, ROOT = 256, NEXT = 512 };
    const uint32_t a = ROOT ^ 'a';
    const size_t bytes = 4 + 4 * UNITS + size;
    uint8_t *map = calloc(bytes + 3, 1);
    uint32_t units[UNITS + 1] = {4 * UNITS, (uint32_t)ROOT << 10};
    units[1 + a] = (uint32_t)NEXT << 10 | 1u << 8 | 'a';
    units[1 + (a ^ NEXT)] = 1u << 31 | place;
    for (size_t i = 0; i <= UNITS; i++) {
        for (int shift = 0; shift < 4; shift++) {
            map[4 * i + (size_t)shift] = (uint8_t)(units[i] >> 8 * shift);
        }
    }
    memcpy(map + 4 + 4 * UNITS, texts, size);
    char *text = calloc(bytes * 2 + 512, 1);
    char *at =
        stpcpy(text, "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Precompiled\","
                     "\"precompiled_charsmap\":\"");
    for (size_t i = 0; i < bytes; i += 3) {
        const uint32_t three = (uint32_t)map[i] << 16 | (uint32_t)map[i + 1] << 8 | map[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            *at++ = digits[three >> shift & 63];
        }
    }
    at -= (3 - bytes % 3) % 3;
    strcpy(at, "\"},{\"type\":\"NFC\"}]},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}");
    free(map);
    return text;
}

/** A map whose replacements are no characters would make text that is not UTF-8, on which all that follows
 *  relies; one whose replacements have no end takes all memory. */
static void maps_make_short_well_formed_text(void **state) {
    (void)state;
    char endless[2000];
    memset(endless, 'x', sizeof endless);
    endless[sizeof endless - 1] = '\0';
    const struct {
        uint32_t place;
        const char *texts;
        size_t size;
        const char *message; /* NULL: fine */
    } maps[] = {
        {0, "\xf0\x9f\x98\x80", 5, NULL},
        {1, "\xf0\x9f\x98\x80", 5, "inside of a character"},
        {2, "x\xc3\xa9", 4, "inside of a character"},
        {0, endless, sizeof endless, "more than 1024 bytes"},
        {0, endless, 1024, NULL},
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        char *text = write_charsmap(maps[i].place, maps[i].texts, maps[i].size);
        const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {
            [PLD_TOKENIZER_JSON] = {"FILE", text, strlen(text)}};
        pld_tokenizer *tokenizer = NULL;
        pld_error error = {0};
        const pld_status status = pld_tokenizer_parse(files, "folder", &tokenizer, &error);
        if (maps[i].message ? status != PLD_ERROR_FORMAT || !strstr(error.message, maps[i].message)
                            : status != PLD_OK) {
            fail_msg("map %zu: '%s'", i, error.message);
        }
        if (tokenizer) {
            pld_token_list ids = {0};
            assert_int_equal(pld_tokenizer_encode(tokenizer, "aaaa", 4, &ids, &error), PLD_OK);
            assert_int_equal(ids.count, 0); /* nothing is left of any a */
            pld_token_list_free(&ids);
        }
        pld_tokenizer_close(tokenizer);
        free(text);
    }
}

/** A tokenizer must not make gigabytes of a short text: neither in one step nor in many. */
static void text_does_not_grow_without_end(void **state) {
    (void)state;
#define REPLACE                                                                                              \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"
    static const char text[] = WITH("\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[" REPLACE
                                    "," REPLACE "," REPLACE "," REPLACE "," REPLACE "]}");
    const pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {
        [PLD_TOKENIZER_JSON] = {"FILE", text, sizeof text - 1}};
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    pld_token_list ids = {0};
    assert_int_equal(pld_tokenizer_parse(files, "folder", &tokenizer, &error), PLD_OK);
    assert_int_equal(pld_tokenizer_encode(tokenizer, "a", 1, &ids, &error), PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "FILE: normalizer, step 4: expected at most 65600 bytes"));
    pld_token_list_free(&ids);
    pld_tokenizer_close(tokenizer);
}

/** Open `path`, which must fail with a message that has both parts. */
static void expect_refusal(const char *path, const char *one, const char *other) {
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    assert_int_not_equal(pld_tokenizer_open(path, NULL, &tokenizer, &error), PLD_OK);
    assert_null(tokenizer);
    if (!strstr(error.message, one) || !strstr(error.message, other)) {
        fail_msg("'%s'", error.message);
    }
}

static void paths_are_what_their_content_is(void **state) {
    (void)state;
    static const char text[] = BPE("{\"a\":0,\"aa\":1}", "[\"a a\"]");
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    expect_refusal(in_folder("nothing"), "nothing", "no such file or folder");
    expect_refusal(temporary_folder, "tokenizer.json", "found none");
    expect_refusal(write_text("hello.txt", "hello"), "hello.txt", "found something else");
    expect_refusal(write_text("spiece.model", "version https://git-lfs.github.com/spec/v1\n"), "spiece.model",
                   "found a Git LFS pointer");
    expect_refusal(write_text("tokenizer.json", "<html>"), "tokenizer.json", "found a web page");
    assert_int_equal(remove(in_folder("spiece.model")) | remove(in_folder("tokenizer.json")), 0);
    expect_refusal(write_text("empty", ""), "empty", "found something else");
    /* any name, with a mark, compressed or not */
    char marked[256];
    snprintf(marked, sizeof marked, "\xef\xbb\xbf\n %s", text);
    const char *path = write_text("any name", marked);
    assert_int_equal(pld_tokenizer_open(path, NULL, &tokenizer, &error), PLD_OK);
    pld_tokenizer_close(tokenizer);
    path = in_folder("any name.gz");
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, text, sizeof text - 1), sizeof text - 1);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(pld_tokenizer_open(path, NULL, &tokenizer, &error), PLD_OK);
    pld_token_list ids = {0};
    assert_int_equal(pld_tokenizer_encode(tokenizer, "aaa", 3, &ids, &error), PLD_OK);
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.ids[0], 1);
    pld_token_list_free(&ids);
    pld_tokenizer_close(tokenizer);
    expect_refusal(write_bytes("damaged.gz", "\x1f\x8b\x08\0\0\0\0\0\0\0garbage", 17), "damaged.gz",
                   "damaged");
}

static void a_file_that_unpacks_without_end_is_refused(void **state) {
    (void)state;
    const char *path = in_folder("bomb.gz");
    gzFile file = gzopen(path, "wb1");
    const size_t block = 1 << 20;
    char *zeros = calloc(1, block);
    for (int i = 0; i < 130; i++) {
        assert_int_equal(gzwrite(file, zeros, (unsigned)block), (int)block);
    }
    assert_int_equal(gzclose(file), Z_OK);
    free(zeros);
    expect_refusal(path, "bomb.gz", "at most 128 MB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_are_refused_by_name),
        cmocka_unit_test(settings_that_change_ids_are_refused),
        cmocka_unit_test(maps_make_short_well_formed_text),
        cmocka_unit_test(text_does_not_grow_without_end),
        cmocka_unit_test(paths_are_what_their_content_is),
        cmocka_unit_test(a_file_that_unpacks_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
