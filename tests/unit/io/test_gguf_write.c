/* SPDX-License-Identifier: Apache-2.0 */
/** GGUF files as they are written: the bytes of the header, places of the data, and what is refused. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/tensors/gguf_write.h"
#include "io/tensors/tensor_file.h"
#include "io/tensors/weight_files.h"
#include "temporary_folder.h"

/** Byte i of tensor t is 16·t + i; `user` counts the calls. */
static pld_status supply(void *user, size_t index, size_t first_byte, size_t bytes, void *buffer,
                         pld_error *error) {
    (void)error;
    ++*(int *)user;
    for (size_t i = 0; i < bytes; i++) {
        ((uint8_t *)buffer)[i] = (uint8_t)(16 * index + first_byte + i);
    }
    return PLD_OK;
}

static pld_status fail_later(void *user, size_t index, size_t first_byte, size_t bytes, void *buffer,
                             pld_error *error) {
    (void)first_byte;
    memset(buffer, 0, bytes);
    (void)user;
    return index == 0 ? PLD_OK : pld_fail(error, PLD_ERROR_CANCELLED, "cancelled");
}

static pld_tensor shaped(pld_dtype dtype, int rank, int64_t a, int64_t b) {
    return (pld_tensor){.dtype = dtype, .rank = rank, .shape = {a, b}};
}

static const pld_gguf_facts facts = {"flux", 8, NULL};

static size_t read_back(const char *path, uint8_t *bytes, size_t room) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static uint64_t number_at(const uint8_t *bytes, int count) {
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/** The header field by field, as the specification has them. */
static void header_is_as_specified(void **state) {
    (void)state;
    int calls = 0;
    uint8_t bytes[4096];
    const pld_tensor_entry entries[] = {{"b", shaped(PLD_DTYPE_Q8_0, 2, 3, 64)},
                                        {"a", shaped(PLD_DTYPE_F32, 1, 5, 0)}};
    pld_error error = {0};
    const char *path = in_folder("header.gguf");
    assert_int_equal(pld_gguf_write_supplied(path, &facts, entries, 2, supply, &calls, NULL, &error), PLD_OK);
    const size_t size = read_back(path, bytes, sizeof bytes);
    const uint8_t *at = bytes;
    assert_memory_equal(at, "GGUF", 4);
    assert_int_equal(number_at(at + 4, 4), 3);
    assert_int_equal(number_at(at + 8, 8), 2);  /* tensors */
    assert_int_equal(number_at(at + 16, 8), 4); /* pairs */
    at += 24;
    static const char key[] = "general.architecture";
    assert_int_equal(number_at(at, 8), sizeof key - 1);
    assert_memory_equal(at + 8, key, sizeof key - 1);
    at += 8 + sizeof key - 1;
    assert_int_equal(number_at(at, 4), 8); /* a string */
    assert_int_equal(number_at(at + 4, 8), 4);
    assert_memory_equal(at + 12, "flux", 4);
    static const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"general.quantization_version", 2}, {"general.alignment", 32}, {"general.file_type", 8}};
    at += 16;
    for (int i = 0; i < 3; i++) {
        const size_t length = strlen(numbers[i].key);
        assert_int_equal(number_at(at, 8), length);
        assert_memory_equal(at + 8, numbers[i].key, length);
        assert_int_equal(number_at(at + 8 + length, 4), 4); /* uint32 */
        assert_int_equal(number_at(at + 12 + length, 4), numbers[i].value);
        at += 16 + length;
    }
    /* name, axes, sizes with that of a row first, type, offset: in the caller's order */
    assert_int_equal(number_at(at, 8), 1);
    assert_int_equal(at[8], 'b');
    assert_int_equal(number_at(at + 9, 4), 2);
    assert_int_equal(number_at(at + 13, 8), 64);
    assert_int_equal(number_at(at + 21, 8), 3);
    assert_int_equal(number_at(at + 29, 4), 8);
    assert_int_equal(number_at(at + 33, 8), 0);
    at += 41;
    assert_int_equal(at[8], 'a');
    assert_int_equal(number_at(at + 9, 4), 1);
    assert_int_equal(number_at(at + 13, 8), 5);
    assert_int_equal(number_at(at + 21, 4), 0);
    assert_int_equal(number_at(at + 25, 8),
                     224); /* behind 3 rows of 2 blocks of 34 bytes, at a multiple of 32 */
    at += 33;
    const size_t begin = (size_t)(at - bytes + 31) / 32 * 32;
    assert_int_equal(size, begin + 224 + 32);
    assert_int_equal(bytes[begin + 203], 203);
    assert_int_equal(bytes[begin + 204], 0);
    assert_int_equal(bytes[begin + 224], 16);
    assert_int_equal(bytes[begin + 224 + 19], 16 + 19);
    assert_int_equal(bytes[size - 1], 0);
    assert_int_equal(calls, 2);
}

/** Five axes and none, texts, and a tensor that is asked for in several pieces of whole blocks. */
static void shapes_are_read_back(void **state) {
    (void)state;
    enum { ROWS = 9000 };
    int calls = 0;
    const char *const texts[] = {"modelspec.prediction_type", "v", NULL};
    const pld_gguf_facts told = {"cosmos", -1, texts};
    pld_tensor cube = {.dtype = PLD_DTYPE_F16, .rank = 5, .shape = {2, 3, 4, 5, 6}};
    const pld_tensor_entry entries[] = {{"cube", cube},
                                        {"one", shaped(PLD_DTYPE_BF16, 0, 0, 0)},
                                        {"long", shaped(PLD_DTYPE_Q6_K, 2, ROWS, 256)}};
    pld_error error = {0};
    const char *path = in_folder("shapes.gguf");
    assert_int_equal(pld_gguf_write_supplied(path, &told, entries, 3, supply, &calls, NULL, &error), PLD_OK);
    assert_int_equal(calls, 2 + (ROWS * 210 + (1 << 20)) / (1 << 20));
    pld_tensor_file *file = NULL;
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    const pld_stored_tensor *found = pld_tensor_file_find(file, "cube");
    assert_int_equal(found->rank, 5);
    assert_memory_equal(found->shape, cube.shape, 5 * sizeof *cube.shape);
    assert_string_equal(pld_tensor_file_metadata_find(file, "comfy.gguf.orig_shape.cube"), "2,3,4,5,6");
    assert_string_equal(pld_tensor_file_metadata_find(file, "modelspec.prediction_type"), "v");
    assert_null(pld_tensor_file_metadata_find(file, "general.file_type"));
    assert_true(pld_tensor_file_find(file, "one")->bytes == 2);
    found = pld_tensor_file_find(file, "long");
    uint8_t bytes[4];
    const size_t place = (size_t)(ROWS - 1) * 210;
    assert_int_equal(pld_tensor_file_read(file, found, place, 4, bytes, &error), PLD_OK);
    assert_int_equal(bytes[3], (uint8_t)(32 + place + 3));
    pld_tensor_file_close(&file);
}

/** Blocks are of a row: a matrix of them cannot be read by columns, which a copy of bytes would need. */
static void blocks_are_not_transposed(void **state) {
    (void)state;
    const pld_tensor_entry entry = {"t", shaped(PLD_DTYPE_Q8_0, 2, 64, 64)};
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    int calls = 0;
    uint8_t bytes[64 / 32 * 34];
    assert_int_equal(
        pld_gguf_write_supplied(in_folder("q8.gguf"), &facts, &entry, 1, supply, &calls, NULL, &error),
        PLD_OK);
    assert_int_equal(pld_tensor_file_open(in_folder("q8.gguf"), &file, &error), PLD_OK);
    pld_weight weight = {.file = file, .tensor = pld_tensor_file_find(file, "t")};
    assert_int_equal(pld_weight_read(&weight, 0, sizeof bytes, bytes, &error), PLD_OK);
    weight.transposed = true;
    assert_int_equal(pld_weight_read(&weight, 0, sizeof bytes, bytes, &error), PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "tensor 't'"));
    pld_tensor_file_close(&file);
}

/** A failure leaves nothing; what GGUF cannot hold is an error. */
static void failures_leave_nothing(void **state) {
    (void)state;
    const pld_tensor_entry two[] = {{"a", shaped(PLD_DTYPE_F32, 1, 5, 0)},
                                    {"b", shaped(PLD_DTYPE_F32, 1, 5, 0)}};
    const struct {
        pld_tensor_entry entry;
        const char *said;
    } wrong[] = {{{"t", shaped(PLD_DTYPE_Q8_0, 2, 3, 40)}, "has an impossible shape"},
                 {{"t", shaped(PLD_DTYPE_Q4_0, 2, 32, 3)}, "rows of whole blocks"},
                 {{"t", shaped(PLD_DTYPE_F8_E4M3, 1, 4, 0)}, "a type that GGUF has"},
                 {{"t", shaped(PLD_DTYPE_F32, 1, 0, 0)}, "rows of whole blocks"},
                 {{"", shaped(PLD_DTYPE_F32, 1, 4, 0)}, "must be UTF-8"},
                 {{"\xff", shaped(PLD_DTYPE_F32, 1, 4, 0)}, "must be UTF-8"}};
    pld_error error = {0};
    const int before = count_files(in_folder("."));
    assert_int_equal(
        pld_gguf_write_supplied(in_folder("none.gguf"), &facts, two, 2, fail_later, NULL, NULL, &error),
        PLD_ERROR_CANCELLED);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int calls = 0;
        assert_int_equal(pld_gguf_write_supplied(in_folder("none.gguf"), &facts, &wrong[i].entry, 1, supply,
                                                 &calls, NULL, &error),
                         PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, wrong[i].said));
        assert_int_equal(calls, 0);
    }
    assert_int_equal(count_files(in_folder(".")), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_as_specified),
        cmocka_unit_test(shapes_are_read_back),
        cmocka_unit_test(blocks_are_not_transposed),
        cmocka_unit_test(failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
