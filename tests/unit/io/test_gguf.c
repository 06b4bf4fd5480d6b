/* SPDX-License-Identifier: Apache-2.0 */
/** GGUF files: an honest one, and each way to be none. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/tensors/tensor_file.h"
#include "temporary_folder.h"

/** Bytes of a file in the making. */
typedef struct maker {
    uint8_t bytes[1 << 12];
    size_t used;
} maker;

static void number(maker *m, int bytes, uint64_t value) {
    for (int i = 0; i < bytes; i++) {
        m->bytes[m->used++] = (uint8_t)(value >> (8 * i));
    }
}

static void text_of(maker *m, const char *text, size_t length) {
    number(m, 8, length);
    memcpy(m->bytes + m->used, text, length);
    m->used += length;
}

static void text(maker *m, const char *string) {
    text_of(m, string, strlen(string));
}

static void begin(maker *m, uint32_t version, uint64_t tensors, uint64_t pairs) {
    m->used = 0;
    memcpy(m->bytes, "GGUF", 4);
    m->used = 4;
    number(m, 4, version);
    number(m, 8, tensors);
    number(m, 8, pairs);
}

/** What the list says of a tensor of two dimensions, the first that of a row. */
static void tensor(maker *m, const char *name, uint64_t row, uint64_t rows, uint32_t type, uint64_t offset) {
    text(m, name);
    number(m, 4, 2);
    number(m, 8, row);
    number(m, 8, rows);
    number(m, 4, type);
    number(m, 8, offset);
}

/** Fill up to a multiple of `alignment`, and add so many bytes of data: 0, 1, 2, … */
static void data(maker *m, size_t alignment, size_t bytes) {
    while (m->used % alignment) {
        m->bytes[m->used++] = 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        m->bytes[m->used++] = (uint8_t)i;
    }
}

enum {
    F32 = 0,
    Q4_0 = 2,
    Q4_K = 12,
    IQ2_XS = 17,
    U8_VALUE = 0,
    U32_VALUE = 4,
    I32_VALUE = 5,
    STRING_VALUE = 8,
    ARRAY_VALUE = 9
};

static void assert_refused(const maker *m, pld_status status, const char *part) {
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    const char *path = write_bytes("bad.gguf", (const char *)m->bytes, m->used);
    const pld_status found = pld_tensor_file_open(path, &file, &error);
    if (found != status || !strstr(error.message, part) || !strstr(error.message, path)) {
        fail_msg("expected status %d and '%s', found %d and '%s'", (int)status, part, (int)found,
                 error.message);
    }
    assert_null(file);
}

/** Two tensors, one of which was written as rows of whole blocks, with all kinds of pairs. */
static void honest(maker *m) {
    begin(m, 3, 2, 6);
    text(m, "general.architecture");
    number(m, 4, STRING_VALUE);
    text(m, "flux");
    text(m, "general.alignment");
    number(m, 4, U32_VALUE);
    number(m, 4, 64);
    text(m, "comfy.gguf.orig_shape.conv");
    number(m, 4, ARRAY_VALUE);
    number(m, 4, I32_VALUE);
    number(m, 8, 3);
    number(m, 4, 4);
    number(m, 4, 8);
    number(m, 4, 2);
    text(m, "words");
    number(m, 4, ARRAY_VALUE);
    number(m, 4, STRING_VALUE);
    number(m, 8, 2);
    text(m, "one");
    text(m, "two");
    text(m, "nested");
    number(m, 4, ARRAY_VALUE);
    number(m, 4, ARRAY_VALUE);
    number(m, 8, 1);
    number(m, 4, U8_VALUE);
    number(m, 8, 3);
    number(m, 3, 0);
    text(m, "negative");
    number(m, 4, I32_VALUE);
    number(m, 4, (uint32_t)-7);
    tensor(m, "conv", 32, 2, Q4_0, 64);
    tensor(m, "plain", 3, 2, F32, 0);
    data(m, 64, 64 + 36);
}

static void honest_file_is_read(void **state) {
    (void)state;
    maker m;
    honest(&m);
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    assert_int_equal(
        pld_tensor_file_open(write_bytes("honest.gguf", (const char *)m.bytes, m.used), &file, &error),
        PLD_OK);
    assert_string_equal(pld_tensor_file_format(file), "GGUF");
    assert_int_equal(pld_tensor_file_count(file), 2);
    const pld_stored_tensor *conv = pld_tensor_file_find(file, "conv"), *plain = pld_tensor_file_at(file, 0);
    assert_string_equal(plain->name, "plain");
    assert_true(plain->rank == 2 && plain->shape[0] == 2 && plain->shape[1] == 3 && plain->bytes == 24);
    assert_true(conv->dtype == PLD_DTYPE_Q4_0 && conv->bytes == 36);
    assert_true(conv->rank == 3 && conv->shape[0] == 4 && conv->shape[1] == 8 && conv->shape[2] == 2);
    uint8_t bytes[2];
    assert_int_equal(pld_tensor_file_read(file, conv, 34, 2, bytes, &error), PLD_OK);
    assert_true(bytes[0] == 64 + 34 && bytes[1] == 64 + 35);
    static const char *const said[][2] = {{"general.architecture", "flux"},
                                          {"general.alignment", "64"},
                                          {"comfy.gguf.orig_shape.conv", "4,8,2"},
                                          {"words", "2 values"},
                                          {"nested", "1 values"},
                                          {"negative", "-7"}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        assert_string_equal(pld_tensor_file_metadata_find(file, said[i][0]), said[i][1]);
    }
    pld_tensor_file_close(&file);
}

/** Every beginning of the file is one that was cut short; none is read beyond its end. */
static void cut_files_are_refused(void **state) {
    (void)state;
    maker m;
    honest(&m);
    for (size_t size = 4; size < m.used; size++) {
        maker cut = m;
        cut.used = size;
        assert_refused(&cut, PLD_ERROR_FORMAT, size < 10 ? "" : "the end of the file");
    }
}

static void numbers_out_of_bounds_are_refused(void **state) {
    (void)state;
    maker m;
    begin(&m, 1, 0, 0);
    assert_refused(&m, PLD_ERROR_FORMAT, "version 1");
    begin(&m, 3U << 24, 0, 0);
    assert_refused(&m, PLD_ERROR_FORMAT, "big endian");
    begin(&m, 3, UINT64_MAX, 0);
    assert_refused(&m, PLD_ERROR_FORMAT, "at most 65536 tensors");
    begin(&m, 3, 0, 1ULL << 40);
    assert_refused(&m, PLD_ERROR_FORMAT, "at most 65536 tensors and 65536 pairs");
    begin(&m, 3, 0, 1);
    number(&m, 8, UINT64_MAX);
    assert_refused(&m, PLD_ERROR_FORMAT, "a key of 18446744073709551615 bytes");
    begin(&m, 3, 0, 1);
    text(&m, "general.alignment");
    number(&m, 4, U32_VALUE);
    number(&m, 4, 48);
    assert_refused(&m, PLD_ERROR_FORMAT, "a power of two");
    begin(&m, 3, 0, 1);
    text(&m, "key");
    number(&m, 4, 13);
    assert_refused(&m, PLD_ERROR_FORMAT, "'key': expected a type of value");
    begin(&m, 3, 0, 1);
    text(&m, "key");
    number(&m, 4, ARRAY_VALUE);
    number(&m, 4, U32_VALUE);
    number(&m, 8, UINT64_MAX / 2);
    assert_refused(&m, PLD_ERROR_FORMAT, "the end of the file");
    begin(&m, 3, 0, 1);
    text(&m, "deep");
    number(&m, 4, ARRAY_VALUE);
    for (int i = 0; i < 12; i++) {
        number(&m, 4, ARRAY_VALUE);
        number(&m, 8, 1);
    }
    assert_refused(&m, PLD_ERROR_FORMAT, "arrays inside each other");
    begin(&m, 3, 0, 2);
    for (int i = 0; i < 2; i++) {
        text(&m, "key");
        number(&m, 4, U8_VALUE);
        number(&m, 1, 1);
    }
    assert_refused(&m, PLD_ERROR_FORMAT, "'key' is said twice");
}

static void wrong_tensors_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t row, rows;
        uint32_t type;
        uint64_t offset;
        pld_status status;
        const char *message;
    } rows[] = {
        {"t", 31, 2, Q4_0, 0, PLD_ERROR_FORMAT, "rows of whole blocks of 32, found rows of 31"},
        {"t", 128, 2, Q4_K, 0, PLD_ERROR_FORMAT, "rows of whole blocks of 256"},
        {"t", 256, 2, IQ2_XS, 0, PLD_ERROR_UNSUPPORTED,
         "of type IQ2_XS, which is not supported; use a file of Q4_K"},
        {"t", 256, 2, 4, 0, PLD_ERROR_FORMAT, "a known type, found number 4"},
        {"t", 0, 2, F32, 0, PLD_ERROR_FORMAT, "sizes from 1, found 0"},
        {"t", UINT64_MAX, 2, F32, 0, PLD_ERROR_FORMAT, "sizes from 1"},
        {"t", 1ULL << 62, 1ULL << 62, F32, 0, PLD_ERROR_FORMAT, "larger than any memory"},
        {"t", 4, 2, F32, 16, PLD_ERROR_FORMAT, "a multiple of 32, found it at 16"},
        {"t", 4, 2, F32, 64, PLD_ERROR_FORMAT, "goes beyond the end of the file"},
        {"t", 4, 2, F32, UINT64_MAX - 31, PLD_ERROR_FORMAT, "goes beyond the end of the file"},
        {"", 4, 2, F32, 0, PLD_ERROR_FORMAT, "tensor names of 1 to"},
        {"a\nb", 4, 2, F32, 0, PLD_ERROR_FORMAT, "without control characters"},
        {"\xff", 4, 2, F32, 0, PLD_ERROR_FORMAT, "is no UTF-8 text"},
        {"other", 4, 2, F32, 0, PLD_ERROR_FORMAT, "tensor 'other' is there twice"},
        {"u", 4, 2, F32, 32, PLD_ERROR_FORMAT, "it overlaps"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        maker m;
        begin(&m, 2, 2, 0);
        tensor(&m, "other", 12, 1, F32, strcmp(rows[i].name, "other") == 0 ? 64 : 0);
        tensor(&m, rows[i].name, rows[i].row, rows[i].rows, rows[i].type, rows[i].offset);
        data(&m, 32, strcmp(rows[i].name, "other") == 0 || rows[i].offset == 32 ? 128 : 80);
        assert_refused(&m, rows[i].status, rows[i].message);
    }
}

static void wrong_shapes_are_refused(void **state) {
    (void)state;
    for (int sizes = 0; sizes < 3; sizes++) {
        maker m;
        begin(&m, 3, 1, 1);
        text(&m, "comfy.gguf.orig_shape.t");
        number(&m, 4, ARRAY_VALUE);
        number(&m, 4, I32_VALUE);
        number(&m, 8, (uint64_t)sizes);
        for (int i = 0; i < sizes; i++) {
            number(&m, 4, sizes == 1 ? 9 : (uint32_t)-4);
        }
        tensor(&m, "t", 4, 2, F32, 0);
        data(&m, 32, 32);
        assert_refused(&m, PLD_ERROR_FORMAT, "expected the sizes of a tensor of 32 bytes");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_file_is_read),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(numbers_out_of_bounds_are_refused),
        cmocka_unit_test(wrong_tensors_are_refused),
        cmocka_unit_test(wrong_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
