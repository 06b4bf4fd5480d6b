/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clip/tokenizer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "io/files/text_file.h"
#include "text/clip/internal.h"
#include "text/clip/normalise.h"

enum { FILE_LIMIT = 100 << 20 }; /* bytes; CLIP's own largest file has 2 MB */

/** The state of one call: scratch memory and where the ids go. */
typedef struct encoding {
    const pld_clip_tokenizer *tokenizer;
    pld_token_list *ids;
    pld_word_space space;
} encoding;

/** Read a file of the folder when it is there. The caller frees `file->data`. */
static pld_status read_file(const char *folder, const char *base, pld_clip_file *file, pld_error *error) {
    char *path = pld_format("%s/%s", folder, base);
    if (!path) {
        return pld_fail_memory(error, strlen(folder), base);
    }
    struct stat facts;
    pld_status status = PLD_OK;
    if (stat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR)) { /* others are worth a report */
        char *text = NULL;
        size_t length = 0;
        status = pld_text_file_read(path, FILE_LIMIT, &text, &length, error);
        *file = (pld_clip_file){.data = text, .size = length};
    }
    pld_free(path);
    return status;
}

pld_status pld_clip_tokenizer_open(const char *folder, pld_clip_tokenizer **tokenizer, pld_error *error) {
    *tokenizer = NULL;
    pld_clip_files files = {.folder = folder};
    const struct {
        const char *base;
        pld_clip_file *file;
    } sources[] = {{"tokenizer.json", &files.tokenizer},
                   {"vocab.json", &files.vocabulary},
                   {"merges.txt", &files.merges},
                   {"tokenizer_config.json", &files.configuration},
                   {"special_tokens_map.json", &files.special_tokens},
                   {"added_tokens.json", &files.added_tokens}};
    pld_status status = PLD_OK;
    for (size_t i = 0; i < sizeof sources / sizeof *sources && status == PLD_OK; i++) {
        bool superfluous = files.tokenizer.data && (i == 1 || i == 2);
        status = superfluous ? PLD_OK : read_file(folder, sources[i].base, sources[i].file, error);
    }
    if (status == PLD_OK) {
        status = pld_clip_tokenizer_parse(&files, tokenizer, error);
    }
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        pld_free((char *)sources[i].file->data);
    }
    return status;
}

void pld_clip_use_pad(pld_clip_tokenizer *tokenizer, const char *token) {
    const int32_t id = pld_clip_vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
    if (id >= 0) {
        tokenizer->role_ids[PLD_CLIP_PAD] = id;
    }
}

void pld_clip_tokenizer_close(pld_clip_tokenizer *tokenizer) {
    if (tokenizer) {
        pld_clip_vocabulary_free(&tokenizer->vocabulary);
        pld_merges_free(&tokenizer->merges);
        pld_clip_added_tokens_free(&tokenizer->added);
        pld_clip_words_close(tokenizer->words);
        pld_free(tokenizer);
    }
}

/** Append the ids of one word: its bytes, merged where they come to lie at the end of the list. */
static pld_status encode_word(void *context, const char *word, size_t length, pld_error *error) {
    encoding *state = context;
    pld_token_list *list = state->ids;
    if (!pld_token_list_reserve(list, length)) {
        return pld_fail_memory(error, length * sizeof *list->ids, "ids of the prompt");
    }
    int32_t *own = list->ids + list->count;
    for (size_t i = 0; i < length; i++) {
        const int32_t *table = i + 1 < length ? state->tokenizer->byte_ids : state->tokenizer->last_byte_ids;
        own[i] = table[(unsigned char)word[i]];
    }
    PLD_TRY(pld_merges_apply(&state->tokenizer->merges, &state->space, own, &length, error));
    list->count += length;
    return PLD_OK;
}

/** Append the ids of a stretch of normalised text without special tokens. */
static pld_status encode_words(encoding *state, const char *text, size_t length, pld_error *error) {
    return pld_clip_words_visit(state->tokenizer->words, text, length, encode_word, state, error);
}

typedef pld_status (*stretch_encoder)(encoding *state, const char *text, size_t length, pld_error *error);

/** Cut the added tokens with this flag out of the text: their own ids, and `encode` for what lies between. */
static pld_status encode_between(encoding *state, bool normalized, const char *text, size_t length,
                                 stretch_encoder encode, pld_error *error) {
    while (length > 0) {
        size_t place = length;
        const pld_clip_added_token *token =
            pld_clip_added_tokens_find(&state->tokenizer->added, normalized, text, length, &place);
        if (place > 0) {
            PLD_TRY(encode(state, text, place, error));
        }
        if (!token) {
            break;
        }
        if (!pld_token_list_append(state->ids, token->id)) {
            return pld_fail_memory(error, state->ids->count * sizeof *state->ids->ids, "ids of the prompt");
        }
        text += place + token->length;
        length -= place + token->length;
    }
    return PLD_OK;
}

/** Append the ids of a stretch of text as it is written, without raw special tokens. */
static pld_status encode_raw(encoding *state, const char *text, size_t length, pld_error *error) {
    size_t normal_length = 0;
    char *normal = pld_clip_normalise(text, length, &normal_length);
    if (!normal) {
        return pld_fail_memory(error, length, "normal form of the prompt");
    }
    pld_status status = encode_between(state, true, normal, normal_length, encode_words, error);
    pld_free(normal);
    return status;
}

pld_status pld_clip_encode(const pld_clip_tokenizer *tokenizer, const char *text, size_t length,
                           pld_token_list *ids, pld_error *error) {
    size_t before = ids->count;
    size_t clean_length = 0;
    char *clean = pld_utf8_clean(text, length, &clean_length);
    if (!clean) {
        return pld_fail_memory(error, length, "the prompt");
    }
    encoding state = {.tokenizer = tokenizer, .ids = ids};
    pld_status status = encode_between(&state, false, clean, clean_length, encode_raw, error);
    pld_word_space_free(&state.space);
    pld_free(clean);
    if (status != PLD_OK) {
        ids->count = before;
    }
    return status;
}

int32_t pld_clip_vocabulary_size(const pld_clip_tokenizer *tokenizer) {
    return (int32_t)tokenizer->vocabulary.count;
}

int32_t pld_clip_start_id(const pld_clip_tokenizer *tokenizer) {
    return tokenizer->role_ids[PLD_CLIP_START];
}

int32_t pld_clip_end_id(const pld_clip_tokenizer *tokenizer) {
    return tokenizer->role_ids[PLD_CLIP_END];
}

int32_t pld_clip_pad_id(const pld_clip_tokenizer *tokenizer) {
    return tokenizer->role_ids[PLD_CLIP_PAD];
}

int32_t pld_clip_model_max_length(const pld_clip_tokenizer *tokenizer) {
    return tokenizer->model_max_length;
}

int32_t pld_clip_token_id(const pld_clip_tokenizer *tokenizer, const char *token) {
    return pld_clip_vocabulary_find(&tokenizer->vocabulary, token, strlen(token));
}

const char *pld_clip_piece(const pld_clip_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && (size_t)id < tokenizer->vocabulary.count ? tokenizer->vocabulary.pieces[id] : NULL;
}

int32_t pld_clip_find_piece(const pld_clip_tokenizer *tokenizer, const char *piece) {
    return pld_clip_vocabulary_find(&tokenizer->vocabulary, piece, strlen(piece));
}
