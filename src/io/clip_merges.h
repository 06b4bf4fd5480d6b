/* SPDX-License-Identifier: Apache-2.0 */
/** The merge rules of byte-pair encoding, and their application to one word. */
#ifndef PLD_IO_CLIP_MERGES_H
#define PLD_IO_CLIP_MERGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/clip_vocabulary.h"
#include "io/json.h"

/** One rule: neighbours (left, right) become `merged`; lower ranks go first. */
typedef struct pld_clip_merge {
    int32_t left; /**< −1 in an empty slot of the table */
    int32_t right;
    int32_t merged;
    uint32_t rank;
} pld_clip_merge;

/** Rules by pair, open addressing; starts as {0}. */
typedef struct pld_clip_merges {
    pld_clip_merge *slots;
    size_t slot_count; /**< a power of two, at least twice the rules */
} pld_clip_merges;

/** Read merges.txt: "left right" a line, first rank first; lines that begin with "#version" do not count.
 *  Both parts and what they make together must be in the vocabulary. */
pld_status pld_clip_merges_read_text(pld_clip_merges *merges, const pld_clip_vocabulary *vocabulary,
                                     const char *text, size_t size, const char *name, pld_error *error);

/** Read a list of "left right" or ["left", "right"], as tokenizer.json has it. */
pld_status pld_clip_merges_read_list(pld_clip_merges *merges, const pld_clip_vocabulary *vocabulary,
                                     const pld_json *list, pld_error *error);

void pld_clip_merges_free(pld_clip_merges *merges);

/** The rule for a pair, or NULL. */
const pld_clip_merge *pld_clip_merges_find(const pld_clip_merges *merges, int32_t left, int32_t right);

/** Memory that encoding reuses from word to word; starts as {0}. One thread at a time. */
typedef struct pld_clip_word_space {
    struct pld_clip_symbol *symbols;
    size_t symbol_capacity;
    struct pld_clip_candidate *heap;
    size_t heap_count;
    size_t heap_capacity;
} pld_clip_word_space;

/** Merge the `*count` ids of a word in place, lowest rank first, leftmost first among equals, until no rule
 *  applies; time grows as n log n. PLD_ERROR_MEMORY is the only failure. */
pld_status pld_clip_merges_apply(const pld_clip_merges *merges, pld_clip_word_space *space, int32_t *ids,
                                 size_t *count, pld_error *error);

void pld_clip_word_space_free(pld_clip_word_space *space);

#endif
