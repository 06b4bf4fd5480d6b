/* SPDX-License-Identifier: Apache-2.0 */
/* From a path to the files that a tokenizer is made of. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "io/files/placeholder.h"
#include "text/clip/bpe.h"
#include "text/text_buffer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_parts.h"

enum { FILE_LIMIT = 128 << 20, BLOCK = 1 << 16 }; /* bytes; Gemma's largest file has 33 MB */

/** The names of the files in a folder; of those for one file the first that is there counts. */
static const struct {
    const char *name;
    pld_tokenizer_file file;
} names[] = {
    {"tokenizer.json", PLD_TOKENIZER_JSON},
    {"tokenizer.json.gz", PLD_TOKENIZER_JSON},
    {"spiece.model", PLD_TOKENIZER_MODEL},
    {"tokenizer.model", PLD_TOKENIZER_MODEL},
    {"sentencepiece.bpe.model", PLD_TOKENIZER_MODEL},
    {"vocab.json", PLD_TOKENIZER_VOCABULARY},
    {"merges.txt", PLD_TOKENIZER_MERGES},
    {"tokenizer_config.json", PLD_TOKENIZER_CONFIGURATION},
    {"special_tokens_map.json", PLD_TOKENIZER_SPECIAL_TOKENS},
    {"added_tokens.json", PLD_TOKENIZER_ADDED_TOKENS},
};

enum { NAMES = sizeof names / sizeof *names };

/** Files with the memory that holds them. */
typedef struct held_files {
    pld_tokenizer_data files[PLD_TOKENIZER_FILE_COUNT];
} held_files;

static void free_files(held_files *held) {
    for (size_t i = 0; i < PLD_TOKENIZER_FILE_COUNT; i++) {
        pld_free((char *)held->files[i].name);
        pld_free((char *)held->files[i].data);
    }
}

/** All of an opened file, unpacked where it is compressed. */
static pld_status read_all(gzFile file, const char *path, pld_text_buffer *out, pld_error *error) {
    for (;;) {
        void *data = out->data;
        if (!pld_grow(&data, &out->capacity, out->used + BLOCK + 1, 1)) {
            return pld_fail_memory(error, out->used, path);
        }
        out->data = data;
        const int got = gzread(file, out->data + out->used, BLOCK);
        if (got < 0) {
            int reason = Z_OK;
            (void)gzerror(file, &reason);
            if (reason == Z_MEM_ERROR) {
                return pld_fail_memory(error, BLOCK, path);
            }
            if (reason == Z_ERRNO) {
                return pld_fail(error, PLD_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
            }
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: the compressed data is damaged; download the file again", path);
        }
        if (got == 0) {
            return PLD_OK;
        }
        out->used += (size_t)got;
        if (out->used > FILE_LIMIT) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: expected a tokenizer's file of at most %d MB, found more", path,
                            FILE_LIMIT >> 20);
        }
    }
}

/** Read a file, which must be regular. */
static pld_status read_file(const char *path, pld_text_buffer *out, pld_error *error) {
    struct stat facts;
    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return pld_fail(error, PLD_ERROR_IO,
                        "%s: expected a tokenizer's file, but this is not a regular file", path);
    }
    if (facts.st_size > FILE_LIMIT) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected a tokenizer's file of at most %d MB, found %lld MB", path,
                        FILE_LIMIT >> 20, (long long)(facts.st_size >> 20));
    }
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file) {
        return errno == 0 ? pld_fail_memory(error, BLOCK, path)
                          : pld_fail(error, PLD_ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    (void)gzbuffer(file, BLOCK);
    const pld_status status = read_all(file, path, out, error);
    gzclose_r(file);
    return status;
}

pld_status pld_tokenizer_file_read(const char *path, char **data, size_t *size, pld_error *error) {
    pld_text_buffer bytes = {0};
    const pld_status status = read_file(path, &bytes, error);
    if (status != PLD_OK) {
        pld_text_buffer_free(&bytes);
    }
    *data = bytes.data;
    *size = bytes.used;
    return status;
}

/** The text behind a byte order mark, which some editors write. */
static void drop_mark(pld_text_buffer *text) {
    if (text->data && text->used >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) {
        memmove(text->data, text->data + 3, text->used - 3);
        text->used -= 3;
    }
}

/** Read a file into its place. */
static pld_status hold(held_files *held, pld_tokenizer_file which, const char *path, pld_error *error) {
    pld_tokenizer_data *place = &held->files[which];
    pld_text_buffer bytes = {0};
    pld_status status = read_file(path, &bytes, error);
    const char *placeholder =
        status == PLD_OK ? pld_recognise_placeholder(bytes.data ? bytes.data : "", bytes.used) : NULL;
    if (placeholder) {
        status =
            pld_fail(error, PLD_ERROR_FORMAT, "%s: expected a tokenizer's file, found %s", path, placeholder);
    }
    if (status == PLD_OK && !(place->name = pld_copy_string(path))) {
        status = pld_fail_memory(error, strlen(path), path);
    }
    if (status != PLD_OK) {
        pld_text_buffer_free(&bytes);
        return status;
    }
    if (which != PLD_TOKENIZER_MODEL) {
        drop_mark(&bytes);
    }
    place->data = bytes.data;
    place->size = bytes.used;
    return PLD_OK;
}

/** Read the files of a folder that are there. `main`: this source counts, others stay where they are;
 *  −1: any. */
static pld_status hold_folder(held_files *held, const char *folder, int main, pld_error *error) {
    for (size_t i = 0; i < NAMES; i++) {
        const pld_tokenizer_file which = names[i].file;
        struct stat facts;
        const bool is_source = which == PLD_TOKENIZER_JSON || which == PLD_TOKENIZER_MODEL ||
                               which == PLD_TOKENIZER_VOCABULARY || which == PLD_TOKENIZER_MERGES;
        const bool superfluous =
            held->files[which].data ||
            (is_source && which != PLD_TOKENIZER_MERGES && main >= 0 && (int)which != main) ||
            (is_source && (held->files[PLD_TOKENIZER_JSON].data || held->files[PLD_TOKENIZER_MODEL].data));
        if (superfluous) {
            continue;
        }
        char *path = pld_format("%s/%s", folder, names[i].name);
        if (!path) {
            return pld_fail_memory(error, strlen(folder), folder);
        }
        pld_status status = PLD_OK;
        if (stat(path, &facts) == 0 ||
            (errno != ENOENT && errno != ENOTDIR)) { /* others are worth a report */
            status = hold(held, which, path, error);
        }
        pld_free(path);
        PLD_TRY(status);
    }
    return PLD_OK;
}

/** What a file is by its content; −1: none of the sources. */
static int find_content(const pld_tokenizer_data *file) {
    size_t at = 0;
    while (at < file->size && strchr(" \t\r\n", file->data[at]) && file->data[at]) {
        at++;
    }
    if (at < file->size && file->data[at] == '{') {
        return PLD_TOKENIZER_JSON;
    }
    return file->size > 0 && file->data[0] == '\n' ? PLD_TOKENIZER_MODEL
                                                   : -1; /* field 1 of type bytes: 0x0a */
}

/** Whether a file without a name of its own is CLIP's list of merges. */
static bool is_clip_list(const pld_tokenizer_data *file) {
    static const char begin[] = "\"bpe_simple_vocab_16e6.txt#version";
    return file->size > sizeof begin && memcmp(file->data, begin, sizeof begin - 1) == 0;
}

static pld_status open_clip_list(const char *path, const char *pad, pld_tokenizer **tokenizer,
                                 pld_error *error) {
    pld_clip_tokenizer *clip = NULL;
    PLD_TRY(pld_clip_bpe_open(path, pad ? pad : "<|endoftext|>", &clip, error));
    const pld_status status = pld_tokenizer_from_clip(clip, tokenizer, error);
    if (status != PLD_OK) {
        pld_clip_tokenizer_close(clip);
    }
    return status;
}

/** A file by its content, with nothing beside it. */
static pld_status open_alone(const char *path, const char *pad, pld_tokenizer **tokenizer, pld_error *error) {
    held_files held = {0};
    pld_status status = hold(&held, PLD_TOKENIZER_JSON, path, error);
    if (status == PLD_OK && is_clip_list(&held.files[PLD_TOKENIZER_JSON])) {
        status = open_clip_list(path, pad, tokenizer, error);
    } else if (status == PLD_OK) {
        const int found = find_content(&held.files[PLD_TOKENIZER_JSON]);
        if (found < 0) {
            status =
                pld_fail(error, PLD_ERROR_FORMAT,
                         "%s: expected tokenizer.json, a SentencePiece model or CLIP's list of merges, found "
                         "something else",
                         path);
        } else {
            if (found != PLD_TOKENIZER_JSON) {
                held.files[found] = held.files[PLD_TOKENIZER_JSON];
                held.files[PLD_TOKENIZER_JSON] = (pld_tokenizer_data){0};
            }
            status = pld_tokenizer_parse(held.files, path, tokenizer, error);
        }
    }
    free_files(&held);
    return status;
}

/** The source that a file's name stands for; −1: none. */
static int find_name(const char *path) {
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i].name, slash ? slash + 1 : path) == 0) {
            return (int)names[i].file;
        }
    }
    return -1;
}

/** A file by its name, with those beside it. */
static pld_status open_named(const char *path, int which, pld_tokenizer **tokenizer, pld_error *error) {
    held_files held = {0};
    const char *slash = strrchr(path, '/');
    char *folder =
        slash ? pld_copy_bytes(path, (size_t)(slash - path) + (slash == path)) : pld_copy_string(".");
    if (!folder) {
        return pld_fail_memory(error, strlen(path), path);
    }
    pld_status status = hold(&held, (pld_tokenizer_file)which, path, error);
    if (status == PLD_OK) {
        status = hold_folder(&held, folder, which, error);
    }
    if (status == PLD_OK) {
        status = pld_tokenizer_parse(held.files, folder, tokenizer, error);
    }
    free_files(&held);
    pld_free(folder);
    return status;
}

pld_status pld_tokenizer_open(const char *path, const char *pad, pld_tokenizer **tokenizer,
                              pld_error *error) {
    struct stat facts;
    *tokenizer = NULL;
    if (stat(path, &facts) != 0) {
        return pld_fail(
            error, PLD_ERROR_MISSING,
            "%s: no such file or folder; expected a tokenizer's folder, tokenizer.json or a SentencePiece "
            "model",
            path);
    }
    if (!S_ISDIR(facts.st_mode)) {
        const int which = find_name(path);
        const bool is_source =
            which == PLD_TOKENIZER_JSON || which == PLD_TOKENIZER_MODEL || which == PLD_TOKENIZER_VOCABULARY;
        return is_source ? open_named(path, which, tokenizer, error)
                         : open_alone(path, pad, tokenizer, error);
    }
    held_files held = {0};
    pld_status status = hold_folder(&held, path, -1, error);
    if (status == PLD_OK) {
        status = pld_tokenizer_parse(held.files, path, tokenizer, error);
    }
    free_files(&held);
    return status;
}
