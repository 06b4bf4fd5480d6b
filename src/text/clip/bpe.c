/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/bpe.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "core/utf8.h"
#include "io/files/text_file.h"

enum {
    BYTES = 256,
    MERGES = 48894, /* of the list's 262144: 49152 tokens at first, less 256 bytes and the two special ones */
    TEXT_LIMIT = 16 << 20, /* the list has 3 MB */
    PIECE_LIMIT = 512
};

/** A text that grows. */
typedef struct text_buffer {
    char *data;
    size_t used, capacity;
} text_buffer;

static bool append(text_buffer *text, const char *bytes, size_t count) {
    if (!pld_grow((void **)&text->data, &text->capacity, text->used + count + 1, 1)) {
        return false;
    }
    memcpy(text->data + text->used, bytes, count);
    text->used += count;
    text->data[text->used] = '\0';
    return true;
}

/** Append within the limit. */
static pld_status append_bounded(text_buffer *text, const char *bytes, size_t count, const char *path,
                                 pld_error *error) {
    if (count > TEXT_LIMIT - text->used) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected CLIP's vocabulary of 3 MB, found more than %d MB", path,
                        TEXT_LIMIT >> 20);
    }
    return append(text, bytes, count) ? PLD_OK : pld_fail_memory(error, text->used + count, path);
}

/* The compression library allocates through the library's one door as well. */
static voidpf zip_allocate(voidpf unused, uInt count, uInt size) {
    (void)unused;
    return pld_allocate(count, size);
}

static void zip_free(voidpf unused, voidpf memory) {
    (void)unused;
    pld_free(memory);
}

static pld_status inflate_all(z_stream *stream, text_buffer *text, const char *path, pld_error *error) {
    char block[1 << 14];
    int code = Z_OK;
    while (code == Z_OK) {
        stream->next_out = (Bytef *)block;
        stream->avail_out = sizeof block;
        code = inflate(stream, Z_NO_FLUSH);
        PLD_TRY(append_bounded(text, block, sizeof block - stream->avail_out, path, error));
    }
    if (code == Z_MEM_ERROR) {
        return pld_fail_memory(error, sizeof block, path);
    }
    return code == Z_STREAM_END ? PLD_OK
                                : pld_fail(error, PLD_ERROR_FORMAT,
                                           "%s: the compressed data is damaged; download it again", path);
}

/** Unpack a gzip file of one member. */
static pld_status unzip(uint8_t *packed, size_t size, text_buffer *text, const char *path, pld_error *error) {
    enum { GZIP_ONLY = 16 + MAX_WBITS };
    z_stream stream = {.next_in = packed, .avail_in = (uInt)size, .zalloc = zip_allocate, .zfree = zip_free};
    if (inflateInit2(&stream, GZIP_ONLY) != Z_OK) {
        return pld_fail_memory(error, size, path);
    }
    pld_status status = inflate_all(&stream, text, path, error);
    inflateEnd(&stream);
    return status;
}

/** Unpack the file, whether it is compressed or not. The caller frees the text in any case. */
static pld_status unpack(const char *path, text_buffer *text, pld_error *error) {
    struct stat facts;
    if (stat(path, &facts) != 0) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: no such file; expected CLIP's vocabulary, bpe_simple_vocab_16e6.txt.gz", path);
    }
    if (!S_ISREG(facts.st_mode)) {
        return pld_fail(error, PLD_ERROR_IO, "%s: expected CLIP's vocabulary, but this is not a regular file",
                        path);
    }
    pld_mapping *file = NULL;
    PLD_TRY(pld_mapping_open(path, &file, error));
    const uint64_t size = pld_mapping_size(file);
    uint8_t *packed = size <= TEXT_LIMIT ? pld_allocate((size_t)size, 1) : NULL;
    pld_status status = size > TEXT_LIMIT ? append_bounded(text, NULL, (size_t)size, path, error)
                        : packed          ? pld_mapping_read(file, 0, (size_t)size, packed, NULL, error)
                                          : pld_fail_memory(error, (size_t)size, path);
    pld_mapping_close(&file);
    if (status == PLD_OK) {
        const bool zipped = size >= 2 && packed[0] == 0x1f && packed[1] == 0x8b;
        status = zipped ? unzip(packed, (size_t)size, text, path, error)
                        : append_bounded(text, (const char *)packed, (size_t)size, path, error);
    }
    pld_free(packed);
    return status;
}

/** The unpacked bytes as text, in their place. */
static pld_status decode(const char *path, text_buffer *list, pld_error *error) {
    char *text = NULL;
    size_t length = 0;
    PLD_TRY(pld_text_file_decode(list->data ? list->data : "", list->used, path, &text, &length, error));
    pld_free(list->data);
    *list = (text_buffer){.data = text, .used = length, .capacity = length + 1};
    return PLD_OK;
}

/** One entry of vocab.json: "piece": id. The pieces hold no control characters. */
static bool append_token(text_buffer *json, const char *first, size_t first_size, const char *second,
                         size_t second_size, int id) {
    char entry[4 * PIECE_LIMIT];
    size_t used = 0;
    entry[used++] = id ? ',' : '{';
    entry[used++] = '"';
    for (size_t i = 0; i < first_size + second_size; i++) {
        const char *at = i < first_size ? first + i : second + (i - first_size);
        const char c = *at;
        if (c == '"' || c == '\\') {
            entry[used++] = '\\';
        }
        entry[used++] = c;
    }
    used += (size_t)snprintf(entry + used, 24, "\":%d", id);
    return append(json, entry, used);
}

/** The 256 letters that stand for bytes, alone and at the end of a word: printable ones first. */
static bool append_bytes(text_buffer *json, int *id) {
    char letters[BYTES][8];
    size_t sizes[BYTES];
    int count = 0;
    for (int pass = 0; pass < 2; pass++) {
        int next = 0x100;
        for (int byte = 0; byte < BYTES; byte++) {
            const bool printable =
                (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            if (printable == (pass == 0)) {
                sizes[count] = pld_utf8_encode(printable ? byte : next++, letters[count]);
                count++;
            }
        }
    }
    for (int at_end = 0; at_end < 2; at_end++) {
        for (int i = 0; i < BYTES; i++) {
            if (!append_token(json, letters[i], sizes[i], "</w>", at_end ? 4 : 0, (*id)++)) {
                return false;
            }
        }
    }
    return true;
}

/** The two pieces of a line "left right"; false for anything else. */
static bool split_line(const char *line, size_t length, size_t *left) {
    const char *space = memchr(line, ' ', length);
    if (!space || length > PIECE_LIMIT) {
        return false;
    }
    *left = (size_t)(space - line);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < 0x20) {
            return false;
        }
    }
    return *left > 0 && *left + 1 < length && !memchr(space + 1, ' ', length - *left - 1);
}

/** Tokens and merges from the lines of the list. */
static pld_status convert(const char *path, const text_buffer *list, text_buffer *vocabulary,
                          text_buffer *merges, pld_error *error) {
    static const char *const special[] = {"<|startoftext|>", "<|endoftext|>"};
    const char *line = list->data ? memchr(list->data, '\n', list->used) : NULL; /* the first is a heading */
    int id = 0;
    bool fits = append_bytes(vocabulary, &id) && append(merges, "#version: 0.2\n", 14);
    for (int i = 0; fits && i < MERGES; i++) {
        const char *begin = line ? line + 1 : NULL;
        const size_t rest = begin ? (size_t)(list->data + list->used - begin) : 0;
        line = begin ? memchr(begin, '\n', rest) : NULL;
        size_t left = 0;
        if (!line || !split_line(begin, (size_t)(line - begin), &left)) {
            return pld_fail(
                error, PLD_ERROR_FORMAT,
                "%s: line %d: expected two pieces with a space between them, as in CLIP's vocabulary "
                "(bpe_simple_vocab_16e6.txt) of at least %d merges; found something else",
                path, i + 2, (int)MERGES);
        }
        fits =
            append(merges, begin, (size_t)(line + 1 - begin)) &&
            append_token(vocabulary, begin, left, begin + left + 1, (size_t)(line - begin) - left - 1, id++);
    }
    for (int i = 0; fits && i < 2; i++) {
        fits = append_token(vocabulary, special[i], strlen(special[i]), "", 0, id++);
    }
    return fits && append(vocabulary, "}", 1) ? PLD_OK
                                              : pld_fail_memory(error, vocabulary->used, "vocabulary");
}

pld_status pld_clip_bpe_read(const char *path, const char *pad_token, pld_clip_bpe *texts, pld_error *error) {
    text_buffer list = {0};
    text_buffer vocabulary = {0};
    text_buffer merges = {0};
    *texts = (pld_clip_bpe){0};
    pld_status status = unpack(path, &list, error);
    if (status == PLD_OK) {
        status = decode(path, &list, error);
    }
    if (status == PLD_OK) {
        status = convert(path, &list, &vocabulary, &merges, error);
    }
    pld_free(list.data);
    *texts = (pld_clip_bpe){.vocabulary = vocabulary.data,
                            .merges = merges.data,
                            .vocabulary_size = vocabulary.used,
                            .merges_size = merges.used};
    if (status == PLD_OK) {
        texts->configuration = pld_format(
            "{\"add_prefix_space\": false, \"bos_token\": \"<|startoftext|>\", \"do_lower_case\": "
            "true, \"eos_token\": \"<|endoftext|>\", \"errors\": \"replace\", \"model_max_length\": "
            "77, \"pad_token\": \"%s\", \"tokenizer_class\": \"CLIPTokenizer\", \"unk_token\": "
            "\"<|endoftext|>\"}\n",
            pad_token);
        texts->configuration_size = texts->configuration ? strlen(texts->configuration) : 0;
        status = texts->configuration ? PLD_OK : pld_fail_memory(error, 512, "tokenizer");
    }
    if (status != PLD_OK) {
        pld_clip_bpe_free(texts);
    }
    return status;
}

void pld_clip_bpe_free(pld_clip_bpe *texts) {
    pld_free(texts->vocabulary);
    pld_free(texts->merges);
    pld_free(texts->configuration);
    *texts = (pld_clip_bpe){0};
}

pld_status pld_clip_bpe_open(const char *path, const char *pad_token, pld_clip_tokenizer **tokenizer,
                             pld_error *error) {
    pld_clip_bpe texts;
    *tokenizer = NULL;
    PLD_TRY(pld_clip_bpe_read(path, pad_token, &texts, error));
    const pld_clip_files files = {.folder = path,
                                  .vocabulary = {texts.vocabulary, texts.vocabulary_size},
                                  .merges = {texts.merges, texts.merges_size},
                                  .configuration = {texts.configuration, texts.configuration_size}};
    pld_status status = pld_clip_tokenizer_parse(&files, tokenizer, error);
    pld_clip_bpe_free(&texts);
    return status;
}
