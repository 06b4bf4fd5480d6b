/* SPDX-License-Identifier: Apache-2.0 */
/** The vocabulary of a CLIP tokenizer: pieces and their ids, both ways. */
#ifndef PLD_TEXT_CLIP_VOCABULARY_H
#define PLD_TEXT_CLIP_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"

/** Pieces by id and ids by piece; starts as {0}. */
typedef struct pld_clip_vocabulary {
    char **pieces; /**< [count], owned, UTF-8 */
    size_t count;
    size_t capacity;
    uint32_t *slots; /**< [slot_count] id + 1, 0 is empty: open addressing by hash of the piece */
    size_t slot_count;
} pld_clip_vocabulary;

/** Fill an empty vocabulary from {"piece": id, …}; ids must be 0 … n−1, each once. */
pld_status pld_clip_vocabulary_read(pld_clip_vocabulary *vocabulary, const pld_json *object,
                                    pld_error *error);

/** The id of `length` bytes, or −1. */
int32_t pld_clip_vocabulary_find(const pld_clip_vocabulary *vocabulary, const char *piece, size_t length);

/** Give a new piece the next id. */
pld_status pld_clip_vocabulary_add(pld_clip_vocabulary *vocabulary, const char *piece, int32_t *id,
                                   pld_error *error);

void pld_clip_vocabulary_free(pld_clip_vocabulary *vocabulary);

#endif
