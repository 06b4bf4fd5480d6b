/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/tensors/weight_files.h"
#include "temporary_folder.h"

#define STEM "diffusion_pytorch_model"

/** Each test works in an empty folder of this name. */
static const char *fresh_folder(void) {
    const char *path = in_folder("component");
    remove_tree(path);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

/** component/NAME with one tensor of `count` bytes. */
static void write_shard(const char *name, const char *tensor, int count) {
    char path[256];
    char header[256];
    snprintf(path, sizeof path, "component/%s", name);
    snprintf(header, sizeof header, "{\"%s\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
             tensor, count, count);
    write_safetensors(path, header, 0, (size_t)count);
}

static void write_index(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "component/%s", name);
    write_text(path, text);
}

/** Open component/ and check which file was taken. */
static void assert_opens(const char *variant, const char *file_name) {
    pld_weight_files *files = NULL;
    pld_error error = {0};
    pld_status status = pld_weight_files_open(in_folder("component"), STEM, &files, &error);
    if (status != PLD_OK) {
        print_error("%s\n", error.message);
    }
    assert_int_equal(status, PLD_OK);
    assert_string_equal(pld_weight_files_variant(files), variant);
    assert_string_equal(strrchr(pld_weight_files_path(files, 0), '/') + 1, file_name);
    pld_weight_files_close(&files);
}

static void assert_refused(pld_status status, const char *part) {
    pld_weight_files *files = NULL;
    pld_error error = {0};
    pld_status found = pld_weight_files_open(in_folder("component"), STEM, &files, &error);
    if (found != status || !strstr(error.message, part)) {
        print_error("expected status %d and '%s', found %d and '%s'\n", (int)status, part, (int)found,
                    error.message);
    }
    assert_int_equal(found, status);
    assert_non_null(strstr(error.message, part));
    assert_null(files);
}

static void shards_form_one_list(void **state) {
    (void)state;
    fresh_folder();
    write_shard(STEM "-00001-of-00002.safetensors", "b", 4);
    write_shard(STEM "-00002-of-00002.safetensors", "a", 6);
    write_index(STEM ".safetensors.index.json",
                "{\"metadata\":{\"total_size\":10},\"weight_map\":{\"a\":\"" STEM
                "-00002-of-00002.safetensors\",\"b\":\"" STEM "-00001-of-00002.safetensors\"}}");
    pld_weight_files *files = NULL;
    pld_error error = {0};
    assert_int_equal(pld_weight_files_open(in_folder("component"), STEM, &files, &error), PLD_OK);
    assert_int_equal(pld_weight_files_count(files), 2);
    assert_int_equal(pld_weight_files_file_count(files), 2);
    assert_int_equal(pld_weight_files_bytes(files), 10);
    assert_int_equal(pld_weight_files_elements(files), 10);
    assert_string_equal(pld_weight_files_at(files, 0).tensor->name, "b");
    assert_string_equal(pld_weight_files_variant(files), "");
    pld_weight weight = {0};
    assert_false(pld_weight_files_find(files, "c", &weight));
    assert_true(pld_weight_files_find(files, "a", &weight));
    assert_ptr_equal(weight.file, pld_weight_files_file(files, 1));
    uint8_t bytes[6] = {0};
    assert_int_equal(pld_weight_read(&weight, 0, 6, bytes, &error), PLD_OK);
    assert_int_equal(bytes[5], 5);
    pld_weight_files_close(&files);
    assert_null(files);
    pld_weight_files_close(&files);
}

static void a_single_file_is_the_same_view(void **state) {
    (void)state;
    fresh_folder();
    write_shard("any name.ckpt", "a", 3);
    pld_weight_files *files = NULL;
    pld_error error = {0};
    assert_int_equal(pld_weight_files_open_file(in_folder("component/any name.ckpt"), &files, &error),
                     PLD_OK);
    assert_int_equal(pld_weight_files_count(files), 1);
    assert_int_equal(pld_weight_files_file_count(files), 1);
    pld_weight_files_close(&files);
    assert_int_equal(pld_weight_files_open_file(in_folder("absent"), &files, &error), PLD_ERROR_MISSING);
}

/** Files are added from the least wanted to the most wanted. */
/** A weight [3, 2, 4, 2, 1] of bytes that count up: the last of its four steps, from any byte on. */
static void the_last_step_is_a_weight(void **state) {
    (void)state;
    pld_weight_files *files = NULL;
    pld_error error = {0};
    pld_weight weight;
    fresh_folder();
    unsigned char expected[12], found[12];
    for (int row = 0; row < 6; row++) {
        for (int i = 0; i < 2; i++) {
            expected[2 * row + i] = (unsigned char)(row * 8 + 6 + i);
        }
    }
    write_safetensors("component/" STEM ".safetensors",
                      "{\"w\":{\"dtype\":\"F8_E5M2\",\"shape\":[3,2,4,2,1],\"data_offsets\":[0,48]}}", 0, 48);
    assert_int_equal(pld_weight_files_open(in_folder("component"), STEM, &files, &error), PLD_OK);
    assert_true(pld_weight_files_find(files, "w", &weight));
    weight.steps = 4;
    assert_int_equal(pld_weight_bytes(&weight), 12);
    for (size_t first = 0; first < 12; first++) {
        for (size_t bytes = 0; bytes <= 12 - first; bytes++) {
            memset(found, 0xff, sizeof found);
            assert_int_equal(pld_weight_read(&weight, first, bytes, found, &error), PLD_OK);
            assert_memory_equal(found, expected + first, bytes);
        }
    }
    assert_int_equal(pld_weight_read(&weight, 3, 10, found, &error), PLD_ERROR_ARGUMENT);
    pld_weight_files_close(&files);
}

static void variants_have_an_order(void **state) {
    (void)state;
    fresh_folder();
    write_shard(STEM ".non_ema.safetensors", "a", 1);
    assert_opens("non_ema", STEM ".non_ema.safetensors");
    write_shard(STEM ".zzz.safetensors", "a", 1);
    assert_opens("zzz", STEM ".zzz.safetensors");
    write_shard(STEM ".ema.safetensors", "a", 1);
    assert_opens("ema", STEM ".ema.safetensors");
    write_shard(STEM ".bf16.safetensors", "a", 1);
    assert_opens("bf16", STEM ".bf16.safetensors");
    write_shard(STEM ".fp16-00001-of-00001.safetensors", "a", 1);
    write_index(STEM ".safetensors.index.fp16.json",
                "{\"weight_map\":{\"a\":\"" STEM ".fp16-00001-of-00001.safetensors\"}}");
    assert_opens("fp16", STEM ".fp16-00001-of-00001.safetensors");
    write_shard(STEM ".fp16.safetensors", "a", 1);
    assert_opens("fp16", STEM ".fp16.safetensors");
    write_shard(STEM "-00001-of-00001.safetensors", "a", 1);
    write_index(STEM ".safetensors.index.json",
                "{\"weight_map\":{\"a\":\"" STEM "-00001-of-00001.safetensors\"}}");
    assert_opens("", STEM "-00001-of-00001.safetensors");
    write_shard(STEM ".safetensors", "a", 1);
    assert_opens("", STEM ".safetensors");
}

static void the_other_index_name_of_variants_is_known(void **state) {
    (void)state;
    fresh_folder();
    write_shard(STEM "-00001-of-00001.fp16.safetensors", "a", 1);
    write_index(STEM ".fp16.safetensors.index.json",
                "{\"weight_map\":{\"a\":\"" STEM "-00001-of-00001.fp16.safetensors\"}}");
    assert_opens("fp16", STEM "-00001-of-00001.fp16.safetensors");
}

/** Downloads by pattern often bring every JSON file but the weights of one variant only. */
static void an_index_without_shards_is_passed_over(void **state) {
    (void)state;
    fresh_folder();
    write_index(STEM ".safetensors.index.json",
                "{\"weight_map\":{\"a\":\"" STEM "-00001-of-00001.safetensors\"}}");
    assert_refused(PLD_ERROR_MISSING, "'" STEM "-00001-of-00001.safetensors' is missing");
    write_shard(STEM ".fp16.safetensors", "a", 1);
    assert_opens("fp16", STEM ".fp16.safetensors");
    write_text("component/" STEM ".fp16.safetensors", "PK\x03\x04");
    assert_refused(PLD_ERROR_UNSUPPORTED, STEM ".fp16.safetensors: expected a safetensors or GGUF file");
}

static void malformed_indexes_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        pld_status status;
        const char *message;
    } cases[] = {
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"three.safetensors\"}}", PLD_ERROR_MISSING,
         "'three.safetensors' is missing"},
        {"{\"weight_map\":{\"a\":\"../one.safetensors\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":\"..\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":\"\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":\"..\\\\one.safetensors\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":\"one\\n.safetensors\"}}", PLD_ERROR_FORMAT, "a file in the same folder"},
        {"{\"weight_map\":{\"a\":1}}", PLD_ERROR_FORMAT, "found 'not a string'"},
        {"{\"weight_map\":{}}", PLD_ERROR_FORMAT, "at least one tensor"},
        {"{\"weight_map\":[]}", PLD_ERROR_FORMAT, "expected an object"},
        {"{}", PLD_ERROR_FORMAT, "'weight_map' is missing"},
        {"[]", PLD_ERROR_FORMAT, "expected an object"},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"a\":\"two.safetensors\"}}", PLD_ERROR_FORMAT,
         "duplicate object key"},
        {"{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}", PLD_ERROR_FORMAT,
         "tensor 'c' should be in 'two.safetensors' but is not"},
        {"{\"weight_map\":{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\"}}", PLD_ERROR_FORMAT,
         "should be in"},
        {"{\"weight_map\":{\"b\":\"two.safetensors\",\"a\":\"one.safetensors\",\"c\":\"three\"}}",
         PLD_ERROR_MISSING, "found 2; 'three' is missing"},
    };
    fresh_folder();
    write_shard("one.safetensors", "a", 1);
    write_shard("two.safetensors", "b", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_index(STEM ".safetensors.index.json", cases[i].text);
        assert_refused(cases[i].status, cases[i].message);
    }
}

static void tensors_that_the_index_forgets_are_refused(void **state) {
    (void)state;
    fresh_folder();
    write_shard("one.safetensors", "a", 1);
    write_safetensors("component/two.safetensors",
                      "{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
                      "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[1,2]}}",
                      0, 2);
    write_index(STEM ".safetensors.index.json",
                "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
    assert_refused(PLD_ERROR_FORMAT, "'two.safetensors' holds tensor 'a', which the index places in one");
    write_index(STEM ".safetensors.index.json", "{\"weight_map\":{\"b\":\"two.safetensors\"}}");
    assert_refused(PLD_ERROR_FORMAT, "'two.safetensors' holds tensor 'a', which the index does not list");
}

static void folders_without_weights_say_what_to_do(void **state) {
    (void)state;
    remove_tree(in_folder("component"));
    assert_refused(PLD_ERROR_MISSING, "cannot be opened");
    fresh_folder();
    assert_refused(PLD_ERROR_MISSING, "download the model's weights");
    write_text("component/model.safetensors", "");
    write_text("component/" STEM ".a.b.safetensors", "");
    assert_refused(PLD_ERROR_MISSING, "download the model's weights");
    write_text("component/" STEM ".fp16.bin", "");
    assert_refused(PLD_ERROR_UNSUPPORTED, "obtain the .safetensors version");
    write_shard(STEM "-00001-of-00002.safetensors", "a", 1);
    assert_refused(PLD_ERROR_MISSING, "download the index as well");
    fresh_folder();
    write_text("component/pytorch_model.bin", "");
    pld_weight_files *files = NULL;
    assert_int_equal(pld_weight_files_open(in_folder("component"), "model", &files, NULL),
                     PLD_ERROR_UNSUPPORTED);
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    fresh_folder();
    write_shard("one.safetensors", "a", 1);
    write_shard("two.safetensors", "b", 1);
    write_index(STEM ".safetensors.index.json",
                "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; status != PLD_OK && countdown < 200; countdown++) {
        pld_weight_files *files = NULL;
        pld_error error = {0};
        pld_inject_allocation_failure(countdown);
        status = pld_weight_files_open(in_folder("component"), STEM, &files, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !files && error.message[0]));
        pld_weight_files_close(&files);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 20);
}

/** Needs PLADIS_REFERENCE, the folder of reference files. */
static void reference_models_open(void **state) {
    (void)state;
    const char *reference = getenv("PLADIS_REFERENCE");
    if (!reference) {
        print_message("SKIPPED: set PLADIS_REFERENCE to read the reference models\n");
        skip();
    }
    static const struct {
        const char *folder;
        const char *stem;
        size_t file_count;
        const char *variant;
    } models[] = {
        {"sd15/unet", STEM, 1, ""},
        {"sd21/unet", STEM, 3, ""},
        {"sdxl/unet", STEM, 1, "fp16"},
        {"sdxl/text_encoder_2", "model", 1, "fp16"},
        {"flux-schnell/text_encoder_2", "model", 2, ""},
    };
    size_t opened = 0;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/models/%s", reference, models[i].folder);
        if (access(path, F_OK) != 0) {
            print_message("passed over: PLADIS_REFERENCE has no %s\n", models[i].folder);
            continue;
        }
        opened++;
        pld_weight_files *files = NULL;
        pld_error error = {0};
        pld_status status = pld_weight_files_open(path, models[i].stem, &files, &error);
        if (status != PLD_OK) {
            print_error("%s\n", error.message);
        }
        assert_int_equal(status, PLD_OK);
        assert_int_equal(pld_weight_files_file_count(files), models[i].file_count);
        assert_string_equal(pld_weight_files_variant(files), models[i].variant);
        pld_weight_files_close(&files);
    }
    assert_true(opened > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_form_one_list),
        cmocka_unit_test(a_single_file_is_the_same_view),
        cmocka_unit_test(the_last_step_is_a_weight),
        cmocka_unit_test(variants_have_an_order),
        cmocka_unit_test(the_other_index_name_of_variants_is_known),
        cmocka_unit_test(an_index_without_shards_is_passed_over),
        cmocka_unit_test(malformed_indexes_are_refused),
        cmocka_unit_test(tensors_that_the_index_forgets_are_refused),
        cmocka_unit_test(folders_without_weights_say_what_to_do),
        cmocka_unit_test(every_refused_allocation_is_a_clean_error),
        cmocka_unit_test(reference_models_open),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
