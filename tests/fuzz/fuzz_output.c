/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

void fuzz_quiet(void) {
    static FILE *nowhere;
    if (!nowhere) {
        nowhere = fopen("/dev/null", "w");
        FUZZ_REQUIRE(nowhere);
        stderr = nowhere; /* the descriptor 2, where sanitizers write, stays what it is */
    }
}

static char *printed;
static size_t printed_size;
static FILE *usual;

void fuzz_print_begin(void) {
    free(printed);
    printed = NULL;
    FILE *gathered = open_memstream(&printed, &printed_size);
    FUZZ_REQUIRE(gathered);
    usual = stdout;
    stdout = gathered;
}

const char *fuzz_printed(size_t *size) {
    FUZZ_REQUIRE(fclose(stdout) == 0);
    stdout = usual;
    *size = printed_size;
    return printed;
}

/** The code point at `at`, its bytes in *length; negative when it is none. */
static long decode(const unsigned char *at, size_t rest, size_t *length) {
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t bytes = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    unsigned point = bytes == 1 ? at[0] : at[0] & (0x7fu >> bytes);
    if (bytes == 0 || bytes > rest || at[0] > 0xf7) {
        return -1;
    }
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return -1;
        }
        point = point << 6 | (at[i] & 0x3f);
    }
    *length = bytes;
    return point < least[bytes] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? -1 : (long)point;
}

void fuzz_require_plain(const char *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0, length = 1; i < size; i += length) {
        const long point = decode(at + i, size - i, &length);
        const bool steers = point < 0 || (point >= 0x7f && point < 0xa0);
        length = point < 0 ? 1 : length;
        FUZZ_REQUIRE(!steers || !FUZZ_ALL_MADE_PRINTABLE);
        FUZZ_REQUIRE(point < 0 || point >= 0x20 || point == '\n' || point == '\t');
    }
}
