/* SPDX-License-Identifier: Apache-2.0 */
/* A PNG picture: decoded, and what was decoded encoded and decoded again. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"
#include "fuzz.h"
#include "io/pictures/png.h"

/** Encode and decode again: the same pixels. */
static void check_round_trip(const pld_png_picture *picture) {
    uint8_t *png = NULL;
    size_t size = 0;
    pld_error error = {0};
    FUZZ_REQUIRE(pld_png_encode(picture->rgb, picture->width, picture->height, NULL, 0, &png, &size,
                                &error) == PLD_OK);
    pld_png_picture again;
    FUZZ_REQUIRE(pld_png_decode(png, size, "again.png", &again, &error) == PLD_OK);
    FUZZ_REQUIRE(again.width == picture->width && again.height == picture->height);
    FUZZ_REQUIRE(memcmp(again.rgb, picture->rgb, (size_t)again.width * (size_t)again.height * 3) == 0);
    pld_png_picture_free(&again);
    pld_free(png);
}

/** Make every chunk's checksum right: without this a mutated picture would hardly ever pass the first test.
 */
static void repair_checksums(uint8_t *data, size_t size) {
    size_t at = 8;
    while (at + 12 <= size) {
        size_t length =
            (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
        if (length > size - at - 12) {
            return;
        }
        uint32_t sum = (uint32_t)crc32(0, data + at + 4, (uInt)(length + 4));
        at += 8 + length;
        for (int i = 0; i < 4; i++) {
            data[at++] = (uint8_t)(sum >> (24 - 8 * i));
        }
    }
}

static void decode(const uint8_t *data, size_t size) {
    pld_png_picture picture;
    pld_error error = {0};
    if (pld_png_decode(data, size, "fuzz.png", &picture, &error) != PLD_OK) {
        FUZZ_REQUIRE(!picture.rgb && !picture.texts && error.message[0]);
        return;
    }
    for (size_t i = 0; i < picture.text_count; i++) {
        FUZZ_REQUIRE(picture.texts[i].key && picture.texts[i].value);
    }
    if (picture.width <= 64 && picture.height <= 64) { /* large ones would only be slow */
        check_round_trip(&picture);
    }
    pld_png_picture_free(&picture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    decode(data, size);
    uint8_t *repaired = malloc(size + 1);
    FUZZ_REQUIRE(repaired);
    memcpy(repaired, data, size);
    repair_checksums(repaired, size);
    decode(repaired, size);
    free(repaired);
    return 0;
}
