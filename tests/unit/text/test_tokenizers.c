/* SPDX-License-Identifier: Apache-2.0 */
/** Tokenizers of every kind, from every form of file: ids equal those of transformers, the tokenizers
 *  library and sentencepiece. With PLADIS_REFERENCE_CASES the folders there are tried, too. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/memory.h"
#include "text/tokenizer.h"
#include "tokenizer_data.h"

#define USER "<|im_start|>user\n"
#define TURN "<|im_end|>\n<|im_start|>assistant\n"

/** Cases, and a tokenizer that must give their ids. */
typedef struct case_row {
    const char *cases; /* file of tests/data/tokenizer or of the reference's tokenizer/ */
    const char *ids;   /* name of the list in each case */
    const char *path;  /* folder or file, below tests/data/tokenizer or the reference's models/ */
    const char *prefix, *suffix;
    size_t before, after; /* ids that the cases have around those of the text */
} case_row;

static const case_row own_rows[] = {
    {"t5_hard.json", "ids", "t5", NULL, NULL, 0, 1},
    {"t5_hard.json", "ids", "t5/spiece.model", NULL, NULL, 0, 1},
    {"qwen_t5.json", "t5", "t5_json", NULL, NULL, 0, 1},
    {"qwen_t5.json", "t5", "t5_json/tokenizer.json.gz", NULL, NULL, 0, 1},
    {"qwen_t5.json", "t5", "t5_json.spiece.model.gz", NULL, NULL, 0, 1},
    {"gemma_sana-text.json", "ids", "gemma", NULL, NULL, 1, 0},
    {"gemma_sana-text.json", "ids", "gemma/tokenizer.json", NULL, NULL, 1, 0},
    {"gemma_sana-text.json", "ids", "gemma/tokenizer.model", NULL, NULL, 1, 0},
    {"qwen_z-image.json", "ids", "qwen_z", NULL, NULL, 0, 0},
    {"qwen_z-image.json", "ids", "qwen_z/vocab.json", NULL, NULL, 0, 0},
    {"qwen_t5.json", "qwen", "qwen", NULL, NULL, 0, 0},
    {"qwen_t5.json", "qwen", "qwen/vocab.json", NULL, NULL, 0, 0},
    {"qwen_t5.json", "qwen_chat", "qwen", USER, TURN, 0, 0},
    {"qwen_t5.json", "qwen_chat", "qwen/vocab.json", USER, TURN, 0, 0},
    {"qwen_t5.json", "qwen_chat_no_think", "qwen", USER, TURN "<think>\n\n</think>\n\n", 0, 0},
    {"cases.json", "ids", "clip", NULL, NULL, 1, 1},
};

static const case_row reference_rows[] = {
    {"t5_pixart-alpha.json", "ids", "pixart-alpha/tokenizer", NULL, NULL, 0, 1},
    {"t5_pixart.json", "ids", "pixart/tokenizer", NULL, NULL, 0, 1},
    {"t5_flux-dev.json", "ids", "flux-dev/tokenizer_2", NULL, NULL, 0, 1},
    {"t5_flux-schnell.json", "ids", "flux-schnell/tokenizer_2", NULL, NULL, 0, 1},
    {"t5_sd35.json", "ids", "sd35/tokenizer_3", NULL, NULL, 0, 1},
    {"qwen_t5.json", "t5", "anima/t5_tokenizer", NULL, NULL, 0, 1},
    {"gemma_sana-text.json", "ids", "sana-text/tokenizer", NULL, NULL, 1, 0},
    {"gemma_sana-sprint.json", "ids", "sana-sprint/tokenizer", NULL, NULL, 1, 0},
    {"gemma_sana-sprint.json", "ids", "sana-sprint/tokenizer/tokenizer.model", NULL, NULL, 1, 0},
    {"qwen_qwen-image.json", "ids", "qwen-image/tokenizer", NULL, NULL, 0, 0},
    {"qwen_qwen-image.json", "ids", "qwen-image/tokenizer/vocab.json", NULL, NULL, 0, 0},
    {"qwen_z-image.json", "ids", "z-image/tokenizer", NULL, NULL, 0, 0},
    {"qwen_t5.json", "qwen_chat", "anima/tokenizer", USER, TURN, 0, 0},
    {"cases.json", "ids", "sd15/tokenizer", NULL, NULL, 1, 1},
};

static pld_tokenizer *open_path(const char *path) {
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    if (pld_tokenizer_open(path, NULL, &tokenizer, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return tokenizer;
}

static void print_ids(const char *what, const pld_tokenizer *tokenizer, const int32_t *ids, size_t count) {
    print_error("%s", what);
    for (size_t i = 0; i < count; i++) {
        print_error(" %d:%s", (int)ids[i], pld_tokenizer_piece(tokenizer, ids[i]));
    }
    print_error("\n");
}

/** Whether the ids of a text are those of the list, less `before` and `after` ones at its ends. */
static bool has_ids(const pld_tokenizer *tokenizer, const json_t *text, const json_t *expected,
                    const case_row *row) {
    pld_token_list ids = {0};
    pld_error error = {0};
    if (pld_tokenizer_encode_framed(tokenizer, row->prefix, json_string_value(text), json_string_length(text),
                                    row->suffix, &ids, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    const size_t count = json_array_size(expected) - row->before - row->after;
    bool same = ids.count == count;
    int32_t wanted[4096];
    assert_true(count < 4096);
    for (size_t i = 0; i < count; i++) {
        wanted[i] = (int32_t)json_integer_value(json_array_get(expected, i + row->before));
        same = same && wanted[i] == ids.ids[i];
    }
    if (!same) {
        print_error("%s: '%s'\n", row->path, json_string_value(text));
        print_ids("  found   ", tokenizer, ids.ids, ids.count);
        print_ids("  expected", tokenizer, wanted, count);
    }
    pld_token_list_free(&ids);
    return same;
}

/** All cases of a row; where ids stand before or behind, they are those that the tokenizer names. */
static void check_row(const case_row *row, const char *cases_path, const char *path) {
    pld_tokenizer *tokenizer = open_path(path);
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    assert_int_equal(facts->before_id >= 0, row->before);
    assert_int_equal(facts->after_id >= 0, row->after);
    json_t *document = NULL;
    json_t *cases = load_cases(cases_path, &document);
    size_t wrong = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *entry = json_array_get(cases, i);
        const json_t *ids = json_object_get(entry, row->ids);
        wrong += !has_ids(tokenizer, json_object_get(entry, "text"), ids, row);
        if (row->before) {
            assert_int_equal(json_integer_value(json_array_get(ids, 0)), facts->before_id);
        }
        if (row->after) {
            assert_int_equal(json_integer_value(json_array_get(ids, json_array_size(ids) - 1)),
                             facts->after_id);
        }
    }
    if (wrong) {
        fail_msg("%s: %zu of %zu cases of %s differ", path, wrong, json_array_size(cases), row->cases);
    }
    json_decref(document);
    pld_tokenizer_close(tokenizer);
}

static void cases_have_the_ids_of_transformers_from_every_source(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof own_rows / sizeof *own_rows; i++) {
        check_row(&own_rows[i], tokenizer_data(own_rows[i].cases), tokenizer_data(own_rows[i].path));
    }
}

static void reference_folders_have_the_ids_of_transformers(void **state) {
    (void)state;
    const char *base = getenv("PLADIS_REFERENCE_CASES");
    if (!base) {
        print_message("PLADIS_REFERENCE_CASES is not set: only the folders of tests/data\n");
        return;
    }
    for (size_t i = 0; i < sizeof reference_rows / sizeof *reference_rows; i++) {
        char cases[1024];
        char path[1024];
        snprintf(cases, sizeof cases, "%s/tokenizer/%s", base, reference_rows[i].cases);
        snprintf(path, sizeof path, "%s/models/%s", base, reference_rows[i].path);
        if (access(cases, R_OK) != 0 || access(path, R_OK) != 0) {
            print_message("%s with %s is not there\n", reference_rows[i].path, reference_rows[i].cases);
            continue;
        }
        check_row(&reference_rows[i], cases, path);
    }
}

static size_t decode_base64(const char *text, uint8_t *bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    for (size_t i = 0; text[i] && text[i] != '='; i++) {
        bits = bits << 6 | (uint32_t)(strchr(digits, text[i]) - digits);
        if (i % 4) {
            bytes[size++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return size;
}

/** The tokenizer of a row of kinds.json; with `status` failures are handed over, else none may be. */
static pld_tokenizer *parse_kind(const json_t *row, pld_status *status, pld_error *error) {
    pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {0};
    char *json = json_dumps(json_object_get(row, "json"), 0);
    char *configuration = json_dumps(json_object_get(row, "configuration"), 0);
    const char *model = json_string_value(json_object_get(row, "model"));
    uint8_t *bytes = model ? malloc(strlen(model)) : NULL;
    const char *name = json_string_value(json_object_get(row, "name"));
    if (model) {
        files[PLD_TOKENIZER_MODEL] =
            (pld_tokenizer_data){"model", (const char *)bytes, decode_base64(model, bytes)};
        files[PLD_TOKENIZER_CONFIGURATION] =
            (pld_tokenizer_data){"configuration", configuration, strlen(configuration)};
    } else {
        files[PLD_TOKENIZER_JSON] = (pld_tokenizer_data){"tokenizer.json", json, strlen(json)};
    }
    pld_tokenizer *tokenizer = NULL;
    *status = pld_tokenizer_parse(files, name, &tokenizer, error);
    free(json);
    free(configuration);
    free(bytes);
    return tokenizer;
}

/** The rows of kinds.json; the document goes to `*document` for json_decref. */
static json_t *load_kinds(json_t **document) {
    json_error_t detail;
    *document = json_load_file(tokenizer_data("kinds.json"), JSON_ALLOW_NUL, &detail);
    assert_non_null(*document);
    return json_object_get(*document, "tokenizers");
}

static void every_option_gives_the_ids_of_the_libraries(void **state) {
    (void)state;
    json_t *document = NULL;
    json_t *rows = load_kinds(&document);
    size_t wrong = 0;
    assert_true(json_array_size(rows) > 30);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *cases = json_object_get(row, "cases");
        pld_status status = PLD_OK;
        pld_error error = {0};
        pld_tokenizer *tokenizer = parse_kind(row, &status, &error);
        if (status != PLD_OK) {
            fail_msg("%s: %s", json_string_value(json_object_get(row, "name")), error.message);
        }
        const case_row plain = {.path = json_string_value(json_object_get(row, "name"))};
        for (size_t j = 0; j < json_array_size(cases); j++) {
            const json_t *entry = json_array_get(cases, j);
            wrong +=
                !has_ids(tokenizer, json_object_get(entry, "text"), json_object_get(entry, "ids"), &plain);
        }
        pld_tokenizer_close(tokenizer);
    }
    assert_int_equal(wrong, 0);
    json_decref(document);
}

static void published_tokenizers_have_the_ids_of_the_library(void **state) {
    (void)state;
    static const struct {
        const char *name, *path, *kind;
        size_t size;
    } rows[] = {{"qwen3", "qwen3", "byte_bpe", 151669},
                {"qwen3", "qwen3/tokenizer.json.gz", "byte_bpe", 151669},
                {"t5", "t5/tokenizer.json", "unigram", 32100}};
    json_error_t detail;
    json_t *document = json_load_file(tokenizer_data("published_tokenizers.json"), JSON_ALLOW_NUL, &detail);
    assert_non_null(document);
    size_t compared = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", PLADIS_TEST_VOCABULARIES, rows[i].path);
        if (access(path, R_OK) != 0) {
            print_message("SKIPPED: %s is not there; ./dev setup fetches it\n", path);
            continue;
        }
        pld_tokenizer *tokenizer = open_path(path);
        assert_string_equal(pld_tokenizer_kind_name(tokenizer), rows[i].kind);
        assert_int_equal(pld_tokenizer_vocabulary_size(tokenizer), rows[i].size);
        const json_t *cases = json_object_get(document, rows[i].name);
        assert_true(json_array_size(cases) >= 40);
        const case_row plain = {.path = rows[i].path};
        for (size_t j = 0; j < json_array_size(cases); j++) {
            const json_t *entry = json_array_get(cases, j);
            assert_true(
                has_ids(tokenizer, json_object_get(entry, "text"), json_object_get(entry, "ids"), &plain));
        }
        pld_tokenizer_close(tokenizer);
        compared++;
    }
    json_decref(document);
    if (compared == 0) {
        skip();
    }
}

static void files_say_who_is_who(void **state) {
    (void)state;
    static const struct {
        const char *path, *kind;
        size_t size;
        pld_tokenizer_facts facts;
    } rows[] = {
        {"t5", "unigram", 381, {-1, 1, 0, 2, -1, 1, 512}},
        {"t5/spiece.model", "unigram", 381, {-1, 1, 0, 2, -1, 1, 512}},
        {"t5_json", "unigram", 381, {-1, 1, 0, 2, -1, 1, 512}},
        {"t5_json.spiece.model.gz", "unigram", 381, {-1, 1, 0, 2, -1, 1, 0}},
        {"gemma", "spm_bpe", 640, {2, 1, 0, 3, 2, -1, 300}},
        {"gemma/tokenizer.model", "spm_bpe", 640, {2, 1, 0, 3, 2, -1, 300}},
        {"qwen", "byte_bpe", 702, {-1, 678, 676, -1, -1, -1, 131072}},
        {"qwen/vocab.json", "byte_bpe", 702, {-1, 678, 676, -1, -1, -1, 131072}},
        {"clip", "clip_bpe", 1160, {1158, 1159, 1159, -1, 1158, 1159, 77}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_tokenizer *tokenizer = open_path(tokenizer_data(rows[i].path));
        assert_string_equal(pld_tokenizer_kind_name(tokenizer), rows[i].kind);
        assert_int_equal(pld_tokenizer_vocabulary_size(tokenizer), rows[i].size);
        assert_memory_equal(pld_tokenizer_get_facts(tokenizer), &rows[i].facts, sizeof rows[i].facts);
        assert_null(pld_tokenizer_piece(tokenizer, -1));
        assert_null(pld_tokenizer_piece(tokenizer, (int32_t)rows[i].size));
        assert_int_equal(pld_tokenizer_id(tokenizer, "no such piece"), -1);
        for (int32_t id = 0; id < (int32_t)rows[i].size; id++) {
            const char *piece = pld_tokenizer_piece(tokenizer, id);
            assert_non_null(piece);
            assert_int_equal(pld_tokenizer_id(tokenizer, piece), id);
        }
        pld_tokenizer_close(tokenizer);
    }
}

/** Seconds of processor time, which other programs on the machine do not add to. */
static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#if defined(__SANITIZE_ADDRESS__)
static const double patience = 30;
#else
static const double patience =
    2; /* a fifth of a second where nothing else runs; quadratic time would take hours */
#endif

static void a_megabyte_of_anything_is_encoded_at_once(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "a",  "photo", " ",      "\n",           "\t ",  "\r\n", "a ",        "\xCC\x81\xCC\xA3",
        "!?", "<",     "'s 1.5", "<|im_start|>", "\xff", "</s>", "e\xCC\x81", "\xE6\x97\xA5"};
    static const char *const paths[] = {"t5", "t5_json", "gemma", "gemma/tokenizer.model", "qwen", "clip"};
    const size_t size = 1 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    double longest = 0;
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        pld_tokenizer *tokenizer = open_path(tokenizer_data(paths[p]));
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            const size_t period = strlen(patterns[i]);
            for (size_t at = 0; at < size; at++) {
                text[at] = patterns[i][at % period];
            }
            pld_token_list ids = {0};
            const double start = seconds();
            assert_int_equal(pld_tokenizer_encode(tokenizer, text, size, &ids, NULL), PLD_OK);
            const double taken = seconds() - start;
            longest = taken > longest ? taken : longest;
            pld_token_list_free(&ids);
        }
        pld_tokenizer_close(tokenizer);
    }
    print_message("a megabyte took %.2f s at most\n", longest);
    assert_true(longest < patience);
    free(text);
}

/** The letters of a number, four bits each. */
static void spell(char *piece, unsigned number, int letters) {
    for (int i = letters - 1; i >= 0; i--) {
        piece[i] = (char)('a' + number % 16);
        number /= 16;
    }
    piece[letters] = '\0';
}

static void a_quarter_of_a_million_pieces_open_at_once(void **state) {
    (void)state;
    enum { PAIRS = 256, FOURS = 65536, SIXES = 190000 };
    char *text = NULL;
    size_t size = 0;
    char left[8];
    char right[8];
    FILE *file = open_memstream(&text, &size);
    fprintf(file, "{\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (unsigned i = 0, id = 0; i < 16 + PAIRS + FOURS + SIXES; i++, id++) {
        const bool one = i < 16, two = i < 16 + PAIRS, four = i < 16 + PAIRS + FOURS;
        spell(left,
              one    ? i
              : two  ? i - 16
              : four ? i - 16 - PAIRS
                     : i - 16 - PAIRS - FOURS,
              one    ? 1
              : two  ? 2
              : four ? 4
                     : 6);
        fprintf(file, "%s\n\"%s\": %u", i ? "," : "", left, id);
    }
    fprintf(file, "},\"merges\":[");
    for (unsigned i = 0; i < PAIRS + FOURS + SIXES; i++) {
        const unsigned number = i < PAIRS ? i : i < PAIRS + FOURS ? i - PAIRS : i - PAIRS - FOURS;
        const unsigned letters = i < PAIRS ? 1 : 2; /* of the right part */
        spell(left, number >> 4 * letters, i < PAIRS ? 1 : i < PAIRS + FOURS ? 2 : 4);
        spell(right, number, (int)letters);
        fprintf(file, "%s\n[\"%s\", \"%s\"]", i ? "," : "", left, right);
    }
    fprintf(file, "]}}");
    fclose(file);
    pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT] = {
        [PLD_TOKENIZER_JSON] = {"tokenizer.json", text, size}};
    pld_tokenizer *tokenizer = NULL;
    pld_error error = {0};
    const double start = seconds();
    if (pld_tokenizer_parse(files, "large", &tokenizer, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    const double taken = seconds() - start;
    print_message("255808 pieces, as many merges, %zu MB: %.2f s\n", size >> 20, taken);
    assert_true(taken < patience);
    pld_token_list ids = {0};
    assert_int_equal(pld_tokenizer_encode(tokenizer, "abcdefaaaaab", 12, &ids, NULL), PLD_OK);
    assert_int_equal(ids.count, 2); /* six letters each */
    assert_string_equal(pld_tokenizer_piece(tokenizer, ids.ids[0]), "abcdef");
    pld_token_list_free(&ids);
    pld_tokenizer_close(tokenizer);
    free(text);
}

static void ill_formed_utf8_counts_as_replacement_characters(void **state) {
    (void)state;
    static const char *const paths[] = {"t5", "gemma", "qwen", "clip"};
    static const char raw[] = "a\xff\xE2\x82x\xED\xA0\x80 \xF0\x9F\x98";
    static const char clean[] = "a\xEF\xBF\xBD\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD";
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        pld_tokenizer *tokenizer = open_path(tokenizer_data(paths[i]));
        pld_token_list found = {0};
        pld_token_list expected = {0};
        assert_int_equal(pld_tokenizer_encode(tokenizer, raw, strlen(raw), &found, NULL), PLD_OK);
        assert_int_equal(pld_tokenizer_encode(tokenizer, clean, strlen(clean), &expected, NULL), PLD_OK);
        assert_int_equal(found.count, expected.count);
        assert_memory_equal(found.ids, expected.ids, found.count * sizeof *found.ids);
        pld_token_list_free(&found);
        pld_token_list_free(&expected);
        pld_tokenizer_close(tokenizer);
    }
}

enum { THREADS = 4 };

static void *encode_in_thread(void *argument) {
    static const char prompt[] =
        "A photo of it's 2 cats\xCC\x81, <|im_end|> </s> <bos> \xE6\x97\xA5\xE6\x9C\xAC!";
    pld_token_list first = {0};
    bool same = pld_tokenizer_encode(argument, prompt, strlen(prompt), &first, NULL) == PLD_OK;
    for (int round = 0; round < 100 && same; round++) {
        pld_token_list again = {0};
        same = pld_tokenizer_encode(argument, prompt, strlen(prompt), &again, NULL) == PLD_OK &&
               again.count == first.count &&
               memcmp(again.ids, first.ids, first.count * sizeof *first.ids) == 0;
        pld_token_list_free(&again);
    }
    pld_token_list_free(&first);
    return same ? argument : NULL;
}

static void threads_share_a_tokenizer(void **state) {
    (void)state;
    static const char *const paths[] = {"t5", "gemma", "qwen"};
    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
        pld_tokenizer *tokenizer = open_path(tokenizer_data(paths[p]));
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, encode_in_thread, tokenizer), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            void *result = NULL;
            assert_int_equal(pthread_join(threads[i], &result), 0);
            assert_ptr_equal(result, tokenizer);
        }
        pld_tokenizer_close(tokenizer);
    }
}

/** Encode while the n-th allocation fails, for every n. */
static void check_failing_encode(const pld_tokenizer *tokenizer) {
    static const char prompt[] = " ab<mask> <s>ab\xC3\xA9 e\xCC\x81 -ab-\xE6\x97\xA5 12";
    pld_status status = PLD_ERROR_MEMORY;
    pld_token_list ids = {0};
    for (long countdown = 0; countdown < 1000 && status != PLD_OK; countdown++) {
        pld_inject_allocation_failure(countdown);
        status = pld_tokenizer_encode(tokenizer, prompt, strlen(prompt), &ids, NULL);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && ids.count == 0));
    }
    assert_int_equal(status, PLD_OK);
    pld_token_list_free(&ids);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    json_t *document = NULL;
    json_t *rows = load_kinds(&document);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        pld_status status = PLD_ERROR_MEMORY;
        pld_tokenizer *tokenizer = NULL;
        for (long countdown = 0; countdown < 5000 && status != PLD_OK; countdown++) {
            pld_error error = {0};
            pld_inject_allocation_failure(countdown);
            tokenizer = parse_kind(json_array_get(rows, i), &status, &error);
            pld_inject_allocation_failure(-1);
            if (status != PLD_OK) {
                assert_int_equal(status, PLD_ERROR_MEMORY);
                assert_null(tokenizer);
                assert_true(error.message[0]);
            }
        }
        assert_int_equal(status, PLD_OK);
        check_failing_encode(tokenizer);
        pld_tokenizer_close(tokenizer);
    }
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_have_the_ids_of_transformers_from_every_source),
        cmocka_unit_test(reference_folders_have_the_ids_of_transformers),
        cmocka_unit_test(every_option_gives_the_ids_of_the_libraries),
        cmocka_unit_test(published_tokenizers_have_the_ids_of_the_library),
        cmocka_unit_test(files_say_who_is_who),
        cmocka_unit_test(a_megabyte_of_anything_is_encoded_at_once),
        cmocka_unit_test(a_quarter_of_a_million_pieces_open_at_once),
        cmocka_unit_test(ill_formed_utf8_counts_as_replacement_characters),
        cmocka_unit_test(threads_share_a_tokenizer),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
