/* SPDX-License-Identifier: Apache-2.0 */
/* CLIP's vocabulary: the beginning of a list of merges, plain or compressed, or the bytes of such a file. The
 * first byte's bits say which: 1 the input is compressed first, 2 the lines that a whole list lacks are added
 * to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "text/clip/bpe.h"

enum { COMPRESSED = 1, COMPLETED = 2, MERGES = 48894, LETTERS = 188, LINE = 16 };

/** One of the letters that stand for a byte each, those that words begin with last. */
static void put_letter(int index, char letter[3]) {
    const int wide = 0xff - 0xa1; /* without U+00AD */
    const int point = index < wide ? 0xa1 + index + (index >= 0xad - 0xa1) : 0x21 + index - wide;
    letter[0] = (char)(point < 0x80 ? point : 0xc0 | point >> 6);
    letter[1] = (char)(point < 0x80 ? 0 : 0x80 | (point & 0x3f));
    letter[2] = '\0';
}

/** The input and so many lines more, each a merge of its own. The caller frees it. */
static char *complete(const uint8_t *data, size_t size, size_t *whole) {
    char *text = malloc(size + (size_t)MERGES * LINE);
    FUZZ_REQUIRE(text);
    memcpy(text, data, size);
    size_t used = size;
    size_t lines = 0;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    for (int i = 0; lines <= MERGES; i++, lines++) {
        char left[3];
        char right[3];
        put_letter(i / (2 * LETTERS), left);
        put_letter(i % LETTERS, right);
        used += (size_t)snprintf(text + used, LINE, "%s %s%s\n", left, right, i / LETTERS % 2 ? "</w>" : "");
    }
    *whole = used;
    return text;
}

static const char *write_compressed(const char *text, size_t size) {
    uLongf room = compressBound((uLong)size) + 32;
    uint8_t *packed = malloc(room);
    FUZZ_REQUIRE(packed);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)text,
                       .avail_in = (uInt)size,
                       .next_out = packed,
                       .avail_out = (uInt)room};
    FUZZ_REQUIRE(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    FUZZ_REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    const char *path = fuzz_file(packed, stream.total_out);
    deflateEnd(&stream);
    free(packed);
    return path;
}

static void open_list(const char *path, const char *pad) {
    pld_clip_tokenizer *tokenizer = NULL;
    pld_token_list ids = {0};
    pld_error error = {0};
    if (pld_clip_bpe_open(path, pad, &tokenizer, &error) != PLD_OK) {
        FUZZ_REQUIRE(!tokenizer && error.message[0]);
        return;
    }
    const int32_t count = pld_clip_vocabulary_size(tokenizer);
    FUZZ_REQUIRE(count > 0 && count <= 49408 && pld_clip_piece(tokenizer, count - 1));
    FUZZ_REQUIRE(pld_clip_encode(tokenizer, "a red fox", 9, &ids, &error) == PLD_OK);
    for (size_t i = 0; i < ids.count; i++) {
        FUZZ_REQUIRE(ids.ids[i] >= 0 && ids.ids[i] < count);
    }
    pld_token_list_free(&ids);
    pld_clip_tokenizer_close(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const uint8_t way = data[0];
    size_t whole = size - 1;
    char *completed = way & COMPLETED ? complete(data + 1, size - 1, &whole) : NULL;
    const char *text = completed ? completed : (const char *)data + 1;
    open_list(way & COMPRESSED ? write_compressed(text, whole) : fuzz_file((const uint8_t *)text, whole),
              way & 4 ? "!" : "<|endoftext|>");
    free(completed);
    return 0;
}
