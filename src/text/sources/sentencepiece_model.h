/* SPDX-License-Identifier: Apache-2.0 */
/** A SentencePiece model as its file has it (sentencepiece_model.proto of google/sentencepiece). */
#ifndef PLD_TEXT_SOURCES_SENTENCEPIECE_MODEL_H
#define PLD_TEXT_SOURCES_SENTENCEPIECE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** Types of pieces, with their numbers in the file. */
typedef enum pld_piece_type {
    PLD_PIECE_NORMAL = 1,
    PLD_PIECE_UNKNOWN = 2,
    PLD_PIECE_CONTROL = 3,
    PLD_PIECE_USER_DEFINED = 4,
    PLD_PIECE_UNUSED = 5,
    PLD_PIECE_BYTE = 6
} pld_piece_type;

/** One piece; its place is its id. `text` lies in the file's data and has no NUL. */
typedef struct pld_sentencepiece {
    const char *text;
    size_t length;
    float score;
    pld_piece_type type;
} pld_sentencepiece;

/** Algorithms, with their numbers in the file. */
typedef enum pld_sentencepiece_kind {
    PLD_SENTENCEPIECE_UNIGRAM = 1,
    PLD_SENTENCEPIECE_BPE = 2
} pld_sentencepiece_kind;

/** Borrows the file's data but for the list. */
typedef struct pld_sentencepiece_model {
    pld_sentencepiece *pieces; /**< [count], owned */
    size_t count, capacity;
    int64_t kind;                                 /**< a pld_sentencepiece_kind, or another number */
    bool byte_fallback;                           /**< characters without a piece become bytes */
    int64_t unknown_id, start_id, end_id, pad_id; /**< −1: none */
    const uint8_t *charsmap;
    size_t charsmap_size;
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, whitespace_as_suffix;
} pld_sentencepiece_model;

/** Read a file's data; `name` is the file for messages. The caller frees `model` in any case. */
pld_status pld_sentencepiece_model_read(pld_sentencepiece_model *model, const char *data, size_t size,
                                        const char *name, pld_error *error);

void pld_sentencepiece_model_free(pld_sentencepiece_model *model);

#endif
