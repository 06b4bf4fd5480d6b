/* SPDX-License-Identifier: Apache-2.0 */
/** Tokenizers in a folder that is made of files which hold none: the installed ones, or given ones, packed or not. Those of
 *  the tiny Anima stand in for the published ones, which are larger than its text encoder's embedding. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/memory.h"
#include "io/files/text_file.h"
#include "pladis/pladis.h"
#include "temporary_folder.h"

#define MODEL PLADIS_TEST_DATA "/reference/models/anima"
#define FILES PLADIS_TEST_DATA "/reference/files/anima-split-"

enum { MOST_BYTES = 8 << 20 };

static pld_engine *engine;

static char *read_text(const char *path, size_t *size) {
    pld_error error = {0};
    char *text = NULL;
    if (pld_text_file_read(path, MOST_BYTES, &text, size, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    return text;
}

/** Copy a file of the model into FOLDER/INTO/name, compressed under another name where `packed`. */
static void place(const char *from, const char *folder, const char *into, const char *name, bool packed) {
    char path[512], to[640];
    size_t size = 0;
    snprintf(path, sizeof path, MODEL "/%s/%s", from, name);
    snprintf(to, sizeof to, "%s/%s", in_folder(folder), into);
    (void)mkdir(in_folder(folder), 0700);
    (void)mkdir(to, 0700);
    char *text = read_text(path, &size);
    snprintf(to, sizeof to, "%s/%s/%s%s", in_folder(folder), into, name, packed ? ".gz" : "");
    gzFile file = gzopen(to, packed ? "wb" : "wbT"); /* T: as it is */
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    pld_free(text);
}

/** Open the three files with `options`, whose paths are filled in, and write a folder. */
static void convert(pld_model_options *options, const char *output) {
    pld_error error = {0};
    pld_model *model = NULL;
    pld_convert_options into;
    pld_convert_options_init(&into, sizeof into);
    options->vae = FILES "vae.safetensors";
    options->text_encoder = FILES "text.safetensors";
    if (pld_model_open_with(engine, FILES "dit.safetensors", options, &model, &error) != PLD_OK ||
        pld_model_convert(model, in_folder(output), &into, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    pld_model_destroy(&model);
}

static void check_same(const char *output, const char *inside) {
    char path[640], own[512];
    size_t size = 0, own_size = 0;
    snprintf(path, sizeof path, "%s/%s", in_folder(output), inside);
    snprintf(own, sizeof own, MODEL "/%s", inside);
    char *text = read_text(path, &size), *expected = read_text(own, &own_size);
    assert_int_equal(size, own_size);
    assert_memory_equal(text, expected, size);
    pld_free(text);
    pld_free(expected);
}

/** The folder has both tokenizers, unpacked, and opens. */
static void check_folder(const char *output) {
    static const char *const files[] = {"tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json",
                                        "t5_tokenizer/tokenizer.json", "t5_tokenizer/tokenizer_config.json"};
    pld_error error = {0};
    pld_model *model = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        check_same(output, files[i]);
    }
    if (pld_model_open(engine, in_folder(output), &model, &error) != PLD_OK) {
        fail_msg("%s", error.message);
    }
    pld_model_destroy(&model);
}

static void installed_tokenizers_are_unpacked(void **state) {
    (void)state;
    place("tokenizer", "installed", "qwen3", "tokenizer.json", true);
    place("tokenizer", "installed", "qwen3", "tokenizer_config.json", false);
    place("t5_tokenizer", "installed", "t5", "tokenizer.json", false);
    place("t5_tokenizer", "installed", "t5", "tokenizer_config.json", false);
    const char *const folders[] = {in_folder("installed")};
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.vocabulary_dirs = folders;
    options.vocabulary_dir_count = 1;
    convert(&options, "of_installed");
    check_folder("of_installed");
}

static void given_tokenizers_are_unpacked(void **state) {
    (void)state;
    place("tokenizer", "given", "tokenizer", "tokenizer.json", true);
    place("tokenizer", "given", "tokenizer", "tokenizer_config.json", false);
    place("t5_tokenizer", "given", "t5_tokenizer", "tokenizer.json", true);
    place("t5_tokenizer", "given", "t5_tokenizer", "tokenizer_config.json", false);
    char given[512];
    snprintf(given, sizeof given, "%s", in_folder("given"));
    pld_model_options options;
    pld_model_options_init(&options, sizeof options);
    options.tokenizer = given;
    convert(&options, "of_given");
    check_folder("of_given");
}

static int set_up(void **state) {
    return make_temporary_folder(state) == 0 && pld_engine_create(NULL, &engine, NULL) == PLD_OK ? 0 : -1;
}

static int tear_down(void **state) {
    pld_engine_destroy(&engine);
    return remove_temporary_folder(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(installed_tokenizers_are_unpacked),
        cmocka_unit_test(given_tokenizers_are_unpacked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
