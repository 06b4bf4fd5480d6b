/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-pair encoding of one word, over bytes (GPT-2) or characters with bytes to fall back on
 *  (SentencePiece). */
#include <stdio.h>

#include "core/utf8.h"
#include "text/tokenizer_parts.h"

void pld_find_byte_pieces(const pld_vocabulary *vocabulary, int32_t byte_ids[256]) {
    for (unsigned byte = 0; byte < 256; byte++) {
        char piece[8];
        const int length = snprintf(piece, sizeof piece, "<0x%02X>", byte);
        byte_ids[byte] = pld_vocabulary_find(vocabulary, piece, (size_t)length);
    }
}

int32_t pld_find_model_piece(const pld_tokenizer_parts *parts, const char *piece, size_t length) {
    const int32_t id = pld_vocabulary_find(&parts->vocabulary, piece, length);
    return id >= 0 && (size_t)id < parts->model_ids ? id : -1;
}

static pld_status append_id(pld_token_list *ids, int32_t id, pld_error *error) {
    return pld_token_list_append(ids, id)
               ? PLD_OK
               : pld_fail_memory(error, ids->count * sizeof *ids->ids, "ids of the prompt");
}

pld_status pld_append_bytes(const int32_t byte_ids[256], const char *text, size_t length, pld_token_list *ids,
                            bool *all, pld_error *error) {
    *all = true;
    for (size_t i = 0; i < length && *all; i++) {
        *all = byte_ids[(uint8_t)text[i]] >= 0;
    }
    for (size_t i = 0; i < length && *all; i++) {
        PLD_TRY(append_id(ids, byte_ids[(uint8_t)text[i]], error));
    }
    return PLD_OK;
}

/** A character or byte that the vocabulary lacks: nothing, or the unknown token. `*pending` says that
 *  one waits to be written, since others may fuse with it. */
static pld_status add_unknown(const pld_tokenizer_parts *parts, bool *pending, pld_token_list *ids,
                              pld_error *error) {
    if (parts->unknown_id < 0) {
        return PLD_OK;
    }
    if (*pending && !parts->bpe.fuse_unknown) {
        PLD_TRY(append_id(ids, parts->unknown_id, error));
    }
    *pending = true;
    return PLD_OK;
}

static pld_status add_known(const pld_tokenizer_parts *parts, int32_t id, bool *pending, pld_token_list *ids,
                            pld_error *error) {
    if (*pending) {
        PLD_TRY(append_id(ids, parts->unknown_id, error));
        *pending = false;
    }
    return append_id(ids, id, error);
}

/** Merge the ids from `before` on, which are those of one word. */
static pld_status merge_from(const pld_tokenizer_parts *parts, pld_encoding_space *space, size_t before,
                             bool pending, pld_token_list *ids, pld_error *error) {
    if (pending) {
        PLD_TRY(append_id(ids, parts->unknown_id, error));
    }
    size_t count = ids->count - before;
    if (count > 1) {
        PLD_TRY(pld_merges_apply(&parts->bpe.merges, &space->merges, ids->ids + before, &count, error));
    }
    ids->count = before + count;
    return PLD_OK;
}

/** The letter of a byte in byte-level vocabularies: itself where it can be printed, else the next from
 *  U+0100 on. */
static void byte_letters(int32_t letters[256]) {
    int32_t next = 0x100;
    for (int32_t byte = 0; byte < 256; byte++) {
        const bool printable =
            (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        letters[byte] = printable ? byte : next++;
    }
}

pld_status pld_byte_bpe_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error) {
    int32_t letters[256];
    bool any = false;
    byte_letters(letters);
    for (int byte = 0; byte < 256; byte++) {
        char piece[8];
        parts->bpe.byte_ids[byte] =
            pld_vocabulary_find(&parts->vocabulary, piece, pld_utf8_encode(letters[byte], piece));
        any = any || parts->bpe.byte_ids[byte] >= 0;
    }
    if (!any) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected the letters of the 256 bytes among the pieces of a byte-level "
                        "vocabulary, found none; use tokenizer files that all come from one source",
                        name);
    }
    return PLD_OK;
}

/** The word as the vocabulary spells it. */
static pld_status spell(const char *word, size_t length, pld_text_buffer *out, pld_error *error) {
    int32_t letters[256];
    byte_letters(letters);
    out->used = 0;
    for (size_t i = 0; i < length; i++) {
        char letter[8];
        PLD_TRY(pld_text_append(out, letter, pld_utf8_encode(letters[(uint8_t)word[i]], letter), error));
    }
    return PLD_OK;
}

pld_status pld_byte_bpe_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                               size_t length, pld_token_list *ids, pld_error *error) {
    const size_t before = ids->count;
    bool pending = false;
    if (parts->bpe.ignore_merges) {
        PLD_TRY(spell(word, length, &space->word, error));
        const int32_t id = pld_find_model_piece(parts, space->word.data, space->word.used);
        if (id >= 0) {
            return append_id(ids, id, error);
        }
    }
    if (!pld_token_list_reserve(ids, length)) {
        return pld_fail_memory(error, length * sizeof *ids->ids, "ids of the prompt");
    }
    for (size_t i = 0; i < length; i++) {
        const int32_t id = parts->bpe.byte_ids[(uint8_t)word[i]];
        PLD_TRY(id >= 0 ? add_known(parts, id, &pending, ids, error)
                        : add_unknown(parts, &pending, ids, error));
    }
    return merge_from(parts, space, before, pending, ids, error);
}

pld_status pld_spm_bpe_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error) {
    pld_find_byte_pieces(&parts->vocabulary, parts->bpe.byte_ids);
    if (parts->bpe.byte_fallback && parts->unknown_id < 0) {
        for (int byte = 0; byte < 256; byte++) {
            if (parts->bpe.byte_ids[byte] < 0) {
                return pld_fail(error, PLD_ERROR_FORMAT,
                                "%s: byte_fallback: expected pieces <0x00> … <0xFF> or an unknown token, "
                                "found no <0x%02X>; download it again from the model's source",
                                name, (unsigned)byte);
            }
        }
    }
    return PLD_OK;
}

pld_status pld_spm_bpe_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                              size_t length, pld_token_list *ids, pld_error *error) {
    const size_t before = ids->count;
    bool pending = false;
    if (parts->bpe.ignore_merges) {
        const int32_t id = pld_find_model_piece(parts, word, length);
        if (id >= 0) {
            return append_id(ids, id, error);
        }
    }
    for (size_t at = 0; at < length;) {
        int32_t point = 0;
        const size_t size = pld_utf8_decode(word + at, length - at, &point);
        const int32_t id = pld_find_model_piece(parts, word + at, size);
        bool done = false;
        if (id >= 0) {
            PLD_TRY(add_known(parts, id, &pending, ids, error));
        } else if (parts->bpe.byte_fallback) {
            /* An unknown token that waits stays behind the bytes: so does the tokenizers library. */
            PLD_TRY(pld_append_bytes(parts->bpe.byte_ids, word + at, size, ids, &done, error));
        }
        if (id < 0 && !done) {
            PLD_TRY(add_unknown(parts, &pending, ids, error));
        }
        at += size;
    }
    return merge_from(parts, space, before, pending, ids, error);
}
