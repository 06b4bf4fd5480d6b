/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zlib.h>

#include "core/memory.h"
#include "io/pictures/png.h"
#include "temporary_folder.h"

enum { WIDTH = 37, HEIGHT = 21, FIRST_CHUNK = 8 };

static pld_error error;
static uint8_t pixels[WIDTH * HEIGHT * 3];
static uint8_t *png;
static size_t png_size;

static const pld_png_text texts[] = {
    {"parameters", "a cat, (detailed:1.2)\nNegative prompt: dog\nSteps: 20, Sampler: DDIM"},
    {"pladis", "{\"prompt\": \"Grüße 猫 🐈\"}"},
    {"empty", ""},
};

static int encode_example(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = (uint8_t)(i * i / 7 + i);
    }
    return (int)pld_png_encode(pixels, WIDTH, HEIGHT, texts, 3, &png, &png_size, &error);
}

static int drop_example(void **state) {
    (void)state;
    pld_free(png);
    png = NULL;
    return 0;
}

static void assert_example(const pld_png_picture *picture) {
    assert_int_equal(picture->width, WIDTH);
    assert_int_equal(picture->height, HEIGHT);
    assert_memory_equal(picture->rgb, pixels, sizeof pixels);
    assert_int_equal(picture->text_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(picture->texts[i].key, texts[i].key);
        assert_string_equal(picture->texts[i].value, texts[i].value);
    }
}

static void pixels_and_texts_survive(void **state) {
    (void)state;
    pld_png_picture picture;
    assert_int_equal(pld_png_decode(png, png_size, "x.png", &picture, &error), PLD_OK);
    assert_example(&picture);
    pld_png_picture_free(&picture);
    assert_null(picture.rgb);
    pld_png_picture_free(&picture);
    const char *path = in_folder("out.png");
    assert_int_equal(pld_png_write(path, pixels, WIDTH, HEIGHT, texts, 3, &error), PLD_OK);
    assert_int_equal(pld_png_read(path, &picture, &error), PLD_OK);
    assert_example(&picture);
    pld_png_picture_free(&picture);
    assert_int_equal(pld_png_write("/dev/full", pixels, WIDTH, HEIGHT, texts, 3, &error), PLD_ERROR_IO);
}

/** ASCII goes where old readers look for it. */
static void chunk_types_follow_the_text(void **state) {
    (void)state;
    assert_non_null(memmem(png, png_size, "tEXtparameters\0a cat", 20));
    assert_non_null(memmem(png, png_size, "iTXtpladis\0\0\0\0\0{", 16));
}

static void same_pixels_give_the_same_bytes(void **state) {
    (void)state;
    uint8_t *again = NULL;
    size_t size = 0;
    assert_int_equal(pld_png_encode(pixels, WIDTH, HEIGHT, texts, 3, &again, &size, &error), PLD_OK);
    assert_int_equal(size, png_size);
    assert_memory_equal(again, png, size);
    pld_free(again);
}

static void bad_arguments_are_refused(void **state) {
    (void)state;
    uint8_t *out = NULL;
    size_t size = 0;
    assert_int_equal(pld_png_encode(pixels, 0, 5, NULL, 0, &out, &size, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_png_encode(pixels, 5, -1, NULL, 0, &out, &size, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_png_encode(pixels, PLD_PNG_MAX_SIDE + 1, 1, NULL, 0, &out, &size, &error),
                     PLD_ERROR_ARGUMENT);
    char long_key[81];
    memset(long_key, 'k', 80);
    long_key[80] = '\0';
    const char *const keys[] = {"", " a", "a ", "a  b", "a\nb", "\xc3\xa9", long_key};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        pld_png_text text = {keys[i], "value"};
        assert_int_equal(pld_png_encode(pixels, WIDTH, HEIGHT, &text, 1, &out, &size, &error),
                         PLD_ERROR_ARGUMENT);
    }
    pld_png_text latin = {"key", "caf\xe9"};
    assert_int_equal(pld_png_encode(pixels, WIDTH, HEIGHT, &latin, 1, &out, &size, &error),
                     PLD_ERROR_ARGUMENT);
    assert_null(out);
}

static void every_damage_is_an_error_or_harmless(void **state) {
    (void)state;
    uint8_t *copy = malloc(png_size);
    assert_non_null(copy);
    for (size_t i = 0; i < png_size; i++) { /* cut short anywhere */
        pld_png_picture picture;
        memcpy(copy, png, i);
        assert_int_not_equal(pld_png_decode(copy, i, "x.png", &picture, &error), PLD_OK);
        assert_null(picture.rgb);
    }
    for (size_t i = 0; i < png_size; i++) { /* one bit wrong anywhere: length, type, data or checksum */
        pld_png_picture picture;
        memcpy(copy, png, png_size);
        copy[i] ^= 0x10;
        assert_int_not_equal(pld_png_decode(copy, png_size, "x.png", &picture, &error), PLD_OK);
        assert_null(picture.rgb);
    }
    free(copy);
}

/** Set the size in the header and make its checksum right again. */
static void claim_size(uint8_t *bytes, uint32_t width, uint32_t height) {
    uint8_t *chunk = bytes + FIRST_CHUNK + 4; /* "IHDR", width, height, … */
    for (int i = 0; i < 4; i++) {
        chunk[4 + i] = (uint8_t)(width >> (24 - 8 * i));
        chunk[8 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
    uint32_t sum = (uint32_t)crc32(0, chunk, 17);
    for (int i = 0; i < 4; i++) {
        chunk[17 + i] = (uint8_t)(sum >> (24 - 8 * i));
    }
}

/** Limits are said with what was found. */
static void huge_claims_are_refused(void **state) {
    (void)state;
    static const struct {
        uint32_t width, height;
        pld_status status;
        const char *says;
    } claims[] = {
        {16385, 8, PLD_ERROR_UNSUPPORTED, "at most 16384 pixels on each side, found 16385 x 8; "},
        {1, 20000, PLD_ERROR_UNSUPPORTED, "at most 16384 pixels on each side, found 1 x 20000; "},
        {0x7fffffff, 0x7fffffff, PLD_ERROR_UNSUPPORTED, "found 2147483647 x 2147483647; "},
        {16384, 4097, PLD_ERROR_UNSUPPORTED,
         "at most 67108864 pixels, found 16384 x 4097, that is 67125248; "},
        {0, 5, PLD_ERROR_FORMAT, "damaged"},
        {5, 0, PLD_ERROR_FORMAT, "damaged"},
        {0xffffffff, 1, PLD_ERROR_UNSUPPORTED, "found 4294967295 x 1; "},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        pld_png_picture picture;
        claim_size(png, claims[i].width, claims[i].height);
        assert_int_equal(pld_png_decode(png, png_size, "x.png", &picture, &error), claims[i].status);
        assert_non_null(strstr(error.message, "x.png: "));
        assert_non_null(strstr(error.message, claims[i].says));
    }
}

/** Put `count` chunks of one kind before the last chunk of the example. The caller frees the file. */
static uint8_t *with_chunks(const char *type, const void *data, size_t length, size_t count, size_t *size) {
    enum { FRAME = 12 };
    uint8_t *file = malloc(png_size + count * (length + FRAME));
    assert_non_null(file);
    size_t at = png_size - FRAME;
    memcpy(file, png, at);
    for (size_t c = 0; c < count; c++) {
        for (int i = 0; i < 4; i++) {
            file[at + (size_t)i] = (uint8_t)(length >> (24 - 8 * i));
        }
        memcpy(file + at + 4, type, 4);
        memcpy(file + at + 8, data, length);
        const uint32_t sum = (uint32_t)crc32(0, file + at + 4, (uInt)length + 4);
        at += length + FRAME;
        for (int i = 0; i < 4; i++) {
            file[at - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
        }
    }
    memcpy(file + at, png + png_size - FRAME, FRAME);
    *size = at + FRAME;
    return file;
}

/** The picture is read whole; of its texts the one that follows the three of the example is not, and `says`
 * why. */
static void assert_left_out(const char *type, const void *data, size_t length, size_t count,
                            const char *says) {
    size_t size = 0;
    uint8_t *file = with_chunks(type, data, length, count, &size);
    pld_png_picture picture;
    assert_int_equal(pld_png_decode(file, size, "x.png", &picture, &error), PLD_OK);
    assert_memory_equal(picture.rgb, pixels, sizeof pixels);
    assert_int_equal(picture.text_problem.status, PLD_ERROR_FORMAT);
    if (!strstr(picture.text_problem.message, says)) {
        fail_msg("'%s' does not say '%s'", picture.text_problem.message, says);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(picture.texts[i].value, texts[i].value);
    }
    pld_png_picture_free(&picture);
    free(file);
}

/** libpng drops these in silence; the picture says what is missing. */
static void texts_that_cannot_be_read_are_said_to_be_missing(void **state) {
    (void)state;
    enum { LIMIT = 16 << 20 };
    char *large = calloc(LIMIT + 64, 1);
    uint8_t packed[1 << 16] = "key\0";
    uLongf size = sizeof packed - 5;
    assert_non_null(large);
    assert_left_out("tEXt", "key\0ab\0cd", 9, 1,
                    "x.png: text 'key': found a zero byte at its byte 2, expected text");
    assert_left_out("tEXt", "key", 3, 1, "text 'key': expected a zero byte after the key, found none");
    assert_left_out("iTXt", "key\0\0\0en\0word", 12, 1, "text 'key': the iTXt chunk is damaged");
    assert_left_out("zTXt", "key\0\0damaged", 12, 1, "text 'key': its compressed data is damaged");
    assert_left_out("zTXt", "key\0\1damaged", 12, 1,
                    "expected a zTXt chunk of compression method 0, found another");
    assert_left_out("tEXt", "key\0a", 5, 1001, "text 'key': expected at most 1000 texts, found more");
    memset(large, 'a', LIMIT + 64);
    assert_int_equal(compress(packed + 5, &size, (Bytef *)large, LIMIT + 1), Z_OK);
    assert_left_out("zTXt", packed, size + 5, 1, "expected at most 16777216 bytes when unpacked, found more");
    assert_left_out("zTXt", packed, size + 5, 5, "expected at most 16777216 bytes when unpacked, found more");
    memcpy(large, "key", 4);
    assert_left_out("tEXt", large, LIMIT + 5, 1,
                    "text 'key': expected at most 16777216 bytes, found 16777217");
    free(large);
}

/** A zero byte that ends a text is one too many, which some programs write. */
static void zero_bytes_at_the_end_are_dropped(void **state) {
    (void)state;
    size_t size = 0;
    uint8_t *file = with_chunks("tEXt", "key\0value\0\0", 11, 1, &size);
    pld_png_picture picture;
    assert_int_equal(pld_png_decode(file, size, "x.png", &picture, &error), PLD_OK);
    assert_int_equal(picture.text_problem.status, PLD_OK);
    assert_int_equal(picture.text_count, 4);
    assert_string_equal(picture.texts[3].value, "value");
    pld_png_picture_free(&picture);
    free(file);
}

static void other_files_are_refused(void **state) {
    (void)state;
    pld_png_picture picture;
    assert_int_equal(pld_png_decode((const uint8_t *)"\xff\xd8\xff\xe0jpegjpeg", 12, "x", &picture, &error),
                     PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "found a JPEG picture; convert it"));
    assert_int_equal(pld_png_decode((const uint8_t *)"RIFF0000WEBPVP8 ", 16, "x", &picture, &error),
                     PLD_ERROR_UNSUPPORTED);
    assert_int_equal(pld_png_decode((const uint8_t *)"text", 4, "x", &picture, &error),
                     PLD_ERROR_UNSUPPORTED);
    assert_int_equal(pld_png_decode(NULL, 0, "x", &picture, &error), PLD_ERROR_UNSUPPORTED);
    assert_int_equal(pld_png_read(in_folder("absent.png"), &picture, &error), PLD_ERROR_MISSING);
    assert_int_equal(pld_png_read(temporary_folder, &picture, &error), PLD_ERROR_IO);
}

/** 1 × 1 pictures of each kind with the colour that RGB must show. */
static void other_pixel_kinds_become_rgb(void **state) {
    (void)state;
    static const struct {
        uint8_t depth, type, pixel[9]; /* filter byte and samples */
        size_t pixel_size;
        uint8_t rgb[3];
    } kinds[] = {
        {8, 0, {0, 200}, 2, {200, 200, 200}},                     /* grey */
        {1, 0, {0, 0x80}, 2, {255, 255, 255}},                    /* black and white */
        {16, 0, {0, 0x80, 0x80}, 3, {128, 128, 128}},             /* deep grey */
        {8, 4, {0, 90, 0}, 3, {90, 90, 90}},                      /* grey with transparency */
        {8, 6, {0, 1, 2, 3, 128}, 5, {1, 2, 3}},                  /* RGB with transparency */
        {16, 2, {0, 255, 255, 0, 0, 128, 128}, 7, {255, 0, 128}}, /* deep RGB */
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint8_t file[256] = "\x89PNG\r\n\x1a\n";
        size_t size = 8;
        uint8_t packed[64];
        uLongf packed_size = sizeof packed;
        assert_int_equal(compress(packed, &packed_size, kinds[i].pixel, kinds[i].pixel_size), Z_OK);
        const uint8_t header[13] = {0, 0, 0, 1, 0, 0, 0, 1, kinds[i].depth, kinds[i].type};
        const struct {
            const char *type;
            const uint8_t *data;
            size_t size;
        } chunks[] = {{"IHDR", header, 13}, {"IDAT", packed, packed_size}, {"IEND", NULL, 0}};
        for (int c = 0; c < 3; c++) {
            file[size + 3] = (uint8_t)chunks[c].size;
            memcpy(file + size + 4, chunks[c].type, 4);
            if (chunks[c].size) {
                memcpy(file + size + 8, chunks[c].data, chunks[c].size);
            }
            uint32_t sum = (uint32_t)crc32(0, file + size + 4, (uInt)(4 + chunks[c].size));
            size += 8 + chunks[c].size;
            for (int b = 0; b < 4; b++) {
                file[size++] = (uint8_t)(sum >> (24 - 8 * b));
            }
        }
        pld_png_picture picture;
        assert_int_equal(pld_png_decode(file, size, "x.png", &picture, &error), PLD_OK);
        assert_memory_equal(picture.rgb, kinds[i].rgb, 3);
        pld_png_picture_free(&picture);
    }
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    pld_status status = PLD_ERROR_MEMORY;
    long countdown = 0;
    for (; status != PLD_OK && countdown < 500; countdown++) {
        uint8_t *out = NULL;
        size_t size = 0;
        pld_inject_allocation_failure(countdown);
        status = pld_png_encode(pixels, WIDTH, HEIGHT, texts, 3, &out, &size, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !out));
        pld_free(out);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 5);
    status = PLD_ERROR_MEMORY;
    for (countdown = 0; status != PLD_OK && countdown < 500; countdown++) {
        pld_png_picture picture;
        pld_inject_allocation_failure(countdown);
        status = pld_png_decode(png, png_size, "x.png", &picture, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !picture.rgb));
        pld_png_picture_free(&picture);
    }
    assert_int_equal(status, PLD_OK);
    assert_true(countdown > 5);
}

#define WITH_EXAMPLE(test) cmocka_unit_test_setup_teardown(test, encode_example, drop_example)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_EXAMPLE(pixels_and_texts_survive),
        WITH_EXAMPLE(chunk_types_follow_the_text),
        WITH_EXAMPLE(same_pixels_give_the_same_bytes),
        WITH_EXAMPLE(bad_arguments_are_refused),
        WITH_EXAMPLE(every_damage_is_an_error_or_harmless),
        WITH_EXAMPLE(huge_claims_are_refused),
        WITH_EXAMPLE(texts_that_cannot_be_read_are_said_to_be_missing),
        WITH_EXAMPLE(zero_bytes_at_the_end_are_dropped),
        WITH_EXAMPLE(other_files_are_refused),
        WITH_EXAMPLE(other_pixel_kinds_become_rgb),
        WITH_EXAMPLE(every_refused_allocation_is_a_clean_error),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
