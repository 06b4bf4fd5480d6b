/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "io/tensors/safetensors_write.h"
#include "io/tensors/tensor_file.h"
#include "temporary_folder.h"

#define F32_2X3     "{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define U8_AT(a, b) "{\"dtype\":\"U8\",\"shape\":[" #b "],\"data_offsets\":[" #a "," #b "]}"

/** Open a file that must be refused; the message names the file and holds `part`. */
static void assert_refused(const char *path, pld_status status, const char *part) {
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    pld_status found = pld_tensor_file_open(path, &file, &error);
    if (found != status || !strstr(error.message, part) || !strstr(error.message, path)) {
        print_error("expected status %d and '%s', found %d and '%s'\n", (int)status, part, (int)found,
                    error.message);
    }
    assert_int_equal(found, status);
    assert_non_null(strstr(error.message, part));
    assert_non_null(strstr(error.message, path));
    assert_null(file);
}

static void honest_file_is_read(void **state) {
    (void)state;
    const char *path =
        write_safetensors("honest.safetensors",
                          "{\"__metadata__\":{\"format\":\"pt\",\"a\":\"x\\ny\"},"
                          "\"b\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[24,32]},\"a\":" F32_2X3
                          ",\"scalar\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[32,33]}}  ",
                          0, 33);
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    assert_string_equal(pld_tensor_file_path(file), path);
    assert_int_equal(pld_tensor_file_count(file), 3);
    assert_string_equal(pld_tensor_file_at(file, 0)->name, "a");
    assert_string_equal(pld_tensor_file_at(file, 1)->name, "b");
    assert_null(pld_tensor_file_at(file, 3));
    assert_null(pld_tensor_file_find(file, "c"));
    assert_null(pld_tensor_file_find(file, "__metadata__"));
    const pld_stored_tensor *tensor = pld_tensor_file_find(file, "b");
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, PLD_DTYPE_F16);
    assert_int_equal(tensor->rank, 2);
    assert_int_equal(tensor->bytes, 8);
    uint8_t bytes[3] = {0};
    assert_int_equal(pld_tensor_file_read(file, tensor, 5, 3, bytes, &error), PLD_OK);
    assert_int_equal(bytes[0], 29);
    assert_int_equal(bytes[2], 31);
    assert_int_equal(pld_tensor_file_read(file, tensor, 6, 3, bytes, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_tensor_file_read(file, tensor, SIZE_MAX, 3, bytes, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_tensor_file_find(file, "scalar")->rank, 0);
    assert_int_equal(pld_tensor_file_metadata_count(file), 2);
    assert_string_equal(pld_tensor_file_metadata_key(file, 0), "a");
    assert_string_equal(pld_tensor_file_metadata_value(file, 0), "x\ny");
    assert_string_equal(pld_tensor_file_metadata_find(file, "format"), "pt");
    assert_null(pld_tensor_file_metadata_find(file, "none"));
    pld_tensor_file_close(&file);
    assert_null(file);
    pld_tensor_file_close(&file);
}

static void empty_tensors_and_empty_files_are_accepted(void **state) {
    (void)state;
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    const char *path = write_safetensors("zero.safetensors",
                                         "{\"z\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},"
                                         "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                                         "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[4,7]}}",
                                         0, 7);
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    const pld_stored_tensor *tensor = pld_tensor_file_find(file, "z");
    assert_int_equal(tensor->bytes, 0);
    assert_int_equal(pld_tensor_file_read(file, tensor, 0, 0, NULL, &error), PLD_OK);
    pld_tensor_file_close(&file);
    assert_int_equal(pld_tensor_file_open(write_safetensors("none.safetensors", "{}", 0, 0), &file, &error),
                     PLD_OK);
    assert_int_equal(pld_tensor_file_count(file), 0);
    assert_null(pld_tensor_file_find(file, ""));
    pld_tensor_file_close(&file);
}

/** Every type of the format, with the bytes that eight elements take. */
static void all_types_of_the_format_are_known(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t bytes;
    } types[] = {{"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
                 {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
                 {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
                 {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
                 {"I64", 64},        {"U64", 64}};
    const size_t count = sizeof types / sizeof *types, quantised = PLD_DTYPE_IQ4_NL - PLD_DTYPE_Q8_0 + 1;
    assert_int_equal(count + quantised, PLD_DTYPE_COUNT);
    for (size_t i = 0; i < count; i++) {
        char header[256];
        pld_tensor_file *file = NULL;
        pld_error error = {0};
        snprintf(header, sizeof header,
                 "{\"__metadata__\":null,\"t\":{\"dtype\":\"%s\",\"shape\":[1,2,1,1,1,1,1,1,1,4],"
                 "\"data_offsets\":[0,%zu]}}",
                 types[i].name, types[i].bytes);
        const char *path = write_safetensors("type.safetensors", header, 0, types[i].bytes);
        assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
        const pld_stored_tensor *tensor = pld_tensor_file_at(file, 0);
        assert_string_equal(pld_dtype_stored_name(tensor->dtype), types[i].name);
        assert_int_equal(tensor->bytes, types[i].bytes);
        assert_int_equal(tensor->rank, 10);
        assert_int_equal(pld_dtype_elements(tensor->dtype, tensor->bytes), 8);
        assert_int_equal(pld_tensor_file_metadata_count(file), 0);
        pld_tensor_file_close(&file);
    }
}

static void malformed_headers_are_refused(void **state) {
    (void)state;
#define EIGHT      "1,1,1,1,1,1,1,1,"
#define EIGHT_LAST "1,1,1,1,1,1,1,1,4]"
#define TENSOR(dtype, shape, offsets)                                                                        \
    "{\"layer.weight\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
    static const struct {
        const char *header;
        size_t data_size;
        const char *message;
    } cases[] = {
        /* a shape whose product wraps to 0, or to the size of the span */
        {TENSOR("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0, "larger than any memory"},
        {TENSOR("\"U8\"", "[4294967297,4294967296,4294967296]", "[0,8]"), 8, "larger than any memory"},
        {TENSOR("\"F32\"", "[4611686018427387905]", "[0,4]"), 4, "larger than any memory"},
        {TENSOR("\"F32\"", "[0,4294967296,4294967296,4294967296]", "[0,0]"), 0, "larger than any memory"},
        {TENSOR("\"F32\"", "[2,3]", "[0,20]"), 20, "needs 24 bytes, but 'data_offsets' span 20"},
        {TENSOR("\"F32\"", "[2,3]", "[0,28]"), 28, "needs 24 bytes, but 'data_offsets' span 28"},
        /* empty tensors are checked like all others */
        {TENSOR("\"F32\"", "[0]", "[0,4]"), 4, "needs 0 bytes, but 'data_offsets' span 4"},
        {TENSOR("\"F32\"", "[0]", "[9,9]"), 4, "ends at data byte 9"},
        {TENSOR("\"F32\"", "[0]", "[2,2]"), 4, "there is a gap after 'the header'"},
        {TENSOR("\"U8\"", "[8]", "[0,8]"), 4, "the file holds only 4 bytes"},
        {TENSOR("\"U8\"", "[4]", "[4,0]"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "[-4,0]"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "[0,4,4]"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "[0]"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "{}"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "[0,4.0]"), 4, "'data_offsets' to be two whole numbers"},
        {TENSOR("\"U8\"", "[4]", "[0,9223372036854775807]"), 4, "the file holds only 4 bytes"},
        {TENSOR("\"U8\"", "[4]", "[0,18446744073709551620]"), 4, "too big integer"},
        {TENSOR("\"U8\"", "[-4]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[-2,-2]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[4.0]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[4e0]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[\"4\"]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[true]", "[0,4]"), 4, "whole numbers from 0 in 'shape'"},
        {TENSOR("\"U8\"", "[36893488147419103236]", "[0,4]"), 4, "too big integer"},
        {TENSOR("\"U8\"", "4", "[0,4]"), 4, "found something else"},
        {TENSOR("\"U8\"", "[" EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT_LAST, "[0,4]"), 4,
         "at most 64 dimensions, found more"},
        {TENSOR("\"F4\"", "[3]", "[0,2]"), 2, "does not fill whole bytes"},
        {TENSOR("\"F4\"", "[8]", "[0,8]"), 8, "needs 4 bytes, but 'data_offsets' span 8"},
        {TENSOR("\"F6_E2M3\"", "[2]", "[0,2]"), 2, "does not fill whole bytes"},
        {TENSOR("\"F6_E3M2\"", "[4611686018427387904]", "[0,4]"), 4, "needs 3458764513820540928 bytes"},
        {TENSOR("7", "[4]", "[0,4]"), 4, "an object with 'dtype'"},
        {"{\"layer.weight\":[1]}", 4, "an object with 'dtype'"},
        {"{\"layer.weight\":{}}", 4, "an object with 'dtype'"},
        {"{\"a\":" U8_AT(0, 4) ",\"a\":" U8_AT(0, 4) "}", 4, "duplicate object key"},
        {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"F64\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
         "duplicate object key"},
        {"{\"a\":" U8_AT(0, 4) ",\"b\":" U8_AT(0, 4) "}", 4, "it overlaps 'a'"},
        {"{\"a\":" U8_AT(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}", 6,
         "it overlaps 'a'"},
        {"{\"a\":" U8_AT(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[2,2]}}", 4,
         "it overlaps 'a'"},
        {"{\"a\":" U8_AT(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[6,8]}}", 8,
         "there is a gap after 'a'"},
        {"{\"a\":" U8_AT(0, 4) "}", 9, "bytes after the last tensor belong to no tensor"},
        {"{}", 1, "bytes after the last tensor belong to no tensor"},
        {"{\"\":" U8_AT(0, 4) "}", 4, "tensor names of 1 to"},
        {"{\"a\\u001b[31m\":" U8_AT(0, 4) "}", 4, "without control characters"},
        {"{\"a\\u009b31m\":" U8_AT(0, 4) "}", 4, "without control characters"},
        {"{\"a\\u0000b\":" U8_AT(0, 4) "}", 4, "NUL"},
        {"{\"a\x01\":" U8_AT(0, 4) "}", 4, "control character"},
        {"{\"a\xff\xfe\":" U8_AT(0, 4) "}", 4, "unable to decode byte"},
        {"{\"a\xed\xa0\x80\":" U8_AT(0, 4) "}", 4, "unable to decode byte"},
        {"{\"__metadata__\":[]}", 0, "an object of strings"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "'a' to be a string"},
        {"{\"a\":" U8_AT(0, 4), 4, "not valid JSON"},
        {"{\"a\":" U8_AT(0, 4) "}x", 4, "end of file expected"},
        {"{\"a\":NaN}", 0, "found NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(write_safetensors("bad.safetensors", cases[i].header, 0, cases[i].data_size),
                       PLD_ERROR_FORMAT, cases[i].message);
    }
    static const char *const unknown_types[] = {"\"F5\"", "\"f32\"", "\"\"", "\"F32 \"", "\"C128\""};
    for (size_t i = 0; i < sizeof unknown_types / sizeof *unknown_types; i++) {
        char header[256];
        snprintf(header, sizeof header, TENSOR("%s", "[4]", "[0,4]"), unknown_types[i]);
        assert_refused(write_safetensors("bad.safetensors", header, 0, 4), PLD_ERROR_UNSUPPORTED,
                       "layer.weight");
    }
#undef TENSOR
}

static void header_length_is_checked(void **state) {
    (void)state;
    static const char header[] = "{\"a\":" U8_AT(0, 4) "}";
    assert_refused(write_safetensors("l.safetensors", header, 1000, 4), PLD_ERROR_FORMAT, "it is cut short");
    assert_refused(write_safetensors("l.safetensors", header, 99999000, 4), PLD_ERROR_FORMAT, "cut short");
    assert_refused(write_safetensors("l.safetensors", header, 1000000000, 4), PLD_ERROR_FORMAT,
                   "at most 100000000 are accepted");
    assert_refused(write_safetensors("l.safetensors", header, -100, 4), PLD_ERROR_FORMAT, "at most");
    assert_refused(write_safetensors("l.safetensors", header, -(long)strlen(header), 4), PLD_ERROR_FORMAT,
                   "not valid JSON");
    assert_refused(write_safetensors("l.safetensors", header, 4, 4), PLD_ERROR_FORMAT, "not valid JSON");
    assert_refused(write_safetensors("l.safetensors", "[1,2]", 0, 4), PLD_ERROR_FORMAT, "something else");
    assert_refused(write_safetensors("l.safetensors", " {}", 0, 0), PLD_ERROR_FORMAT, "something else");
    assert_refused(write_bytes("l.safetensors", "", 0), PLD_ERROR_FORMAT, "found only 0 bytes");
    assert_refused(write_bytes("l.safetensors", "\x02\0\0\0\0\0\0", 7), PLD_ERROR_FORMAT,
                   "found only 7 bytes");
    assert_refused(write_bytes("l.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), PLD_ERROR_FORMAT,
                   "at most");
}

static void deep_and_huge_headers_are_refused(void **state) {
    (void)state;
    char *header = calloc((10 << 20) + 100, 1);
    assert_non_null(header);
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', 100000);
    header[100005] = '\0';
    assert_refused(write_safetensors("deep.safetensors", header, 0, 0), PLD_ERROR_FORMAT,
                   "nested in each other");
    /* more values than any network has tensors */
    memset(header + 5, ',', 5 << 20);
    header[5] = '[';
    header[5 + (5 << 20)] = '\0';
    assert_refused(write_safetensors("wide.safetensors", header, 0, 0), PLD_ERROR_FORMAT, "at most 524288");
    /* a name of ten million bytes */
    header[1] = '"';
    memset(header + 2, 'x', 10 << 20);
    memcpy(header + 2 + (10 << 20), "\":{}}", 6);
    assert_refused(write_safetensors("name.safetensors", header, 0, 0), PLD_ERROR_FORMAT,
                   "tensor names of 1 to");
    free(header);
}

static void other_formats_are_recognised(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"PK\x03\x04\0\0\0\0\0\0\0\0archive/data.pkl", 28, "never read; obtain the .safetensors version"},
        {"\x80\x02}q\0X\x05\0\0\0state", 16, "a Python pickle"},
        {"\x80\x04\x95\0\0\0\0\0\0\0\0", 11, "a Python pickle"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", 64, "git lfs pull"},
        {"<!DOCTYPE html><html>", 21, "a web page"},
        {"<html><body>", 12, "a web page"},
        {"{\"weight_map\":{}}", 17, "JSON text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(write_bytes("renamed.safetensors", cases[i].bytes, cases[i].size),
                       PLD_ERROR_UNSUPPORTED, cases[i].message);
    }
}

static void paths_that_are_no_files_are_reported(void **state) {
    (void)state;
    assert_refused(temporary_folder, PLD_ERROR_IO, "found a folder");
    assert_refused("/dev/null", PLD_ERROR_IO, "a device or pipe");
    assert_refused(in_folder("absent.safetensors"), PLD_ERROR_MISSING, "No such file");
    const char *pipe_path = in_folder("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_refused(pipe_path, PLD_ERROR_IO, "a device or pipe"); /* and does not hang */
}

static void file_cut_short_while_open_is_an_error(void **state) {
    (void)state;
    const char *path = write_safetensors("cut.safetensors", "{\"layer\":" F32_2X3 "}", 0, 24);
    pld_tensor_file *file = NULL;
    pld_error error = {0};
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    const pld_stored_tensor *tensor = pld_tensor_file_find(file, "layer");
    assert_int_equal(truncate(path, (long)tensor->offset + 10), 0);
    uint8_t bytes[24];
    assert_int_equal(pld_tensor_file_read(file, tensor, 0, 24, bytes, &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "cut short"));
    assert_non_null(strstr(error.message, "layer"));
    assert_int_equal(pld_tensor_file_read(file, tensor, 0, 10, bytes, &error), PLD_OK);
    pld_tensor_file_close(&file);
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    const char *path =
        write_safetensors("memory.safetensors", "{\"__metadata__\":{\"k\":\"v\"},\"a\":" F32_2X3 "}", 0, 24);
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; status != PLD_OK && countdown < 100; countdown++) {
        pld_tensor_file *file = NULL;
        pld_error error = {0};
        pld_inject_allocation_failure(countdown);
        status = pld_tensor_file_open(path, &file, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !file && error.message[0]));
        pld_tensor_file_close(&file);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 5);
}

static void written_files_are_read_back(void **state) {
    (void)state;
    float wide[6] = {1, 2, 3, 4, 5, 6};
    uint8_t narrow = 7;
    int64_t step = 999;
    const pld_tensor_entry entries[] = {
        {"narrow", {PLD_DTYPE_U8, 0, {0}, &narrow}},
        {"größe \"q\"", {PLD_DTYPE_F32, 2, {2, 3}, wide}},
        {"empty", {PLD_DTYPE_F32, 2, {0, 3}, NULL}},
        {"step", {PLD_DTYPE_I64, 1, {1}, &step}},
    };
    const char *const metadata[] = {"format", "pt", "note", "a\nb", NULL};
    pld_error error = {0};
    const char *path = in_folder("written.safetensors");
    assert_int_equal(pld_safetensors_write(path, entries, 4, metadata, &error), PLD_OK);
    pld_tensor_file *file = NULL;
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    assert_int_equal(pld_tensor_file_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const pld_stored_tensor *tensor = pld_tensor_file_find(file, entries[i].name);
        assert_non_null(tensor);
        assert_int_equal(tensor->dtype, entries[i].tensor.dtype);
        assert_int_equal(tensor->rank, entries[i].tensor.rank);
        assert_memory_equal(tensor->shape, entries[i].tensor.shape, sizeof(int64_t) * (size_t)tensor->rank);
        assert_int_equal(tensor->offset % pld_dtype_size(tensor->dtype), 0);
        uint8_t bytes[24];
        assert_int_equal(pld_tensor_file_read(file, tensor, 0, tensor->bytes, bytes, &error), PLD_OK);
        assert_true(tensor->bytes == 0 || memcmp(bytes, entries[i].tensor.data, tensor->bytes) == 0);
    }
    assert_string_equal(pld_tensor_file_metadata_find(file, "note"), "a\nb");
    pld_tensor_file_close(&file);
    assert_int_equal(pld_safetensors_write(path, entries, 0, NULL, &error), PLD_OK);
    assert_int_equal(pld_tensor_file_open(path, &file, &error), PLD_OK);
    pld_tensor_file_close(&file);
}

static void writer_refuses_what_cannot_be_read_back(void **state) {
    (void)state;
    uint8_t byte = 0;
    const pld_tensor good = {PLD_DTYPE_U8, 0, {0}, &byte};
    const pld_tensor_entry twice[] = {{"a", good}, {"a", good}};
    const pld_tensor_entry nameless[] = {{"", good}};
    const pld_tensor_entry reserved[] = {{"__metadata__", good}};
    const pld_tensor_entry latin[] = {{"\xe9", good}};
    const pld_tensor_entry negative[] = {{"a", {PLD_DTYPE_U8, 1, {-1}, &byte}}};
    const char *path = in_folder("refused.safetensors");
    pld_error error = {0};
    assert_int_equal(pld_safetensors_write(path, twice, 2, NULL, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_safetensors_write(path, nameless, 1, NULL, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_safetensors_write(path, reserved, 1, NULL, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_safetensors_write(path, latin, 1, NULL, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_safetensors_write(path, negative, 1, NULL, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(access(path, F_OK), -1);
}

/** Needs PLADIS_REFERENCE, the folder of reference files. */
static void reference_files_open(void **state) {
    (void)state;
    const char *reference = getenv("PLADIS_REFERENCE");
    if (!reference) {
        print_message("SKIPPED: set PLADIS_REFERENCE to read the reference files\n");
        skip();
    }
    static const char *const names[] = {"files/sd15.f16.safetensors", "files/sdxl.f16.safetensors",
                                        "attention/rows.safetensors"};
    size_t opened = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", reference, names[i]);
        if (access(path, F_OK) != 0) {
            print_message("passed over: PLADIS_REFERENCE has no %s\n", names[i]);
            continue;
        }
        opened++;
        pld_tensor_file *file = NULL;
        pld_error error = {0};
        pld_status status = pld_tensor_file_open(path, &file, &error);
        if (status != PLD_OK) {
            print_error("%s\n", error.message);
        }
        assert_int_equal(status, PLD_OK);
        for (size_t j = 0; j < pld_tensor_file_count(file); j++) {
            const pld_stored_tensor *tensor = pld_tensor_file_at(file, j);
            assert_ptr_equal(pld_tensor_file_find(file, tensor->name), tensor);
        }
        pld_tensor_file_close(&file);
    }
    assert_true(opened > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_file_is_read),
        cmocka_unit_test(empty_tensors_and_empty_files_are_accepted),
        cmocka_unit_test(all_types_of_the_format_are_known),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(header_length_is_checked),
        cmocka_unit_test(deep_and_huge_headers_are_refused),
        cmocka_unit_test(other_formats_are_recognised),
        cmocka_unit_test(paths_that_are_no_files_are_reported),
        cmocka_unit_test(file_cut_short_while_open_is_an_error),
        cmocka_unit_test(every_refused_allocation_is_a_clean_error),
        cmocka_unit_test(written_files_are_read_back),
        cmocka_unit_test(writer_refuses_what_cannot_be_read_back),
        cmocka_unit_test(reference_files_open),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
