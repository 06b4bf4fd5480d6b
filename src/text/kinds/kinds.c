/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of tokenizer. */
#include "text/tokenizer_parts.h"

static bool is_clip(const pld_tokenizer_parts *parts) {
    return parts->clip;
}

static bool is_unigram(const pld_tokenizer_parts *parts) {
    return parts->unigram.scores;
}

static bool is_byte_level(const pld_tokenizer_parts *parts) {
    return parts->splitter.byte_level;
}

static bool is_anything(const pld_tokenizer_parts *parts) {
    (void)parts;
    return true;
}

static int32_t find_piece(const pld_tokenizer_parts *parts, const char *token) {
    return pld_vocabulary_find(&parts->vocabulary, token, strlen(token));
}

static const char *show_piece(const pld_tokenizer_parts *parts, int32_t id) {
    return pld_vocabulary_piece(&parts->vocabulary, id, NULL);
}

static size_t count_ids(const pld_tokenizer_parts *parts) {
    return parts->vocabulary.id_count;
}

static pld_status prepare_clip(pld_tokenizer_parts *parts, const char *name, pld_error *error) {
    (void)parts;
    (void)name;
    (void)error;
    return PLD_OK;
}

static pld_status encode_clip(const pld_tokenizer *tokenizer, const char *text, size_t length,
                              pld_token_list *ids, pld_error *error) {
    return pld_clip_encode(tokenizer->parts.clip, text, length, ids, error);
}

static int32_t find_clip(const pld_tokenizer_parts *parts, const char *token) {
    return pld_clip_token_id(parts->clip, token);
}

static const char *show_clip(const pld_tokenizer_parts *parts, int32_t id) {
    return pld_clip_piece(parts->clip, id);
}

static size_t count_clip(const pld_tokenizer_parts *parts) {
    return (size_t)pld_clip_vocabulary_size(parts->clip);
}

/** The first row that fits counts. */
static const pld_tokenizer_kind kinds[] = {
    {"clip_bpe", is_clip, prepare_clip, NULL, encode_clip, find_clip, show_clip, count_clip},
    {"unigram", is_unigram, pld_unigram_prepare, pld_unigram_encode, pld_words_encode, find_piece, show_piece,
     count_ids},
    {"byte_bpe", is_byte_level, pld_byte_bpe_prepare, pld_byte_bpe_encode, pld_words_encode, find_piece,
     show_piece, count_ids},
    {"spm_bpe", is_anything, pld_spm_bpe_prepare, pld_spm_bpe_encode, pld_words_encode, find_piece,
     show_piece, count_ids},
};

const pld_tokenizer_kind *pld_tokenizer_find_kind(const pld_tokenizer_parts *parts) {
    const pld_tokenizer_kind *kind = kinds;
    while (!kind->fits(parts)) {
        kind++;
    }
    return kind;
}
