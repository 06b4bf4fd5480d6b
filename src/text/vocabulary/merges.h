/* SPDX-License-Identifier: Apache-2.0 */
/** The merge rules of byte-pair encoding (Sennrich et al., 2016), and their application to one word. */
#ifndef PLD_TEXT_VOCABULARY_MERGES_H
#define PLD_TEXT_VOCABULARY_MERGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"

enum { PLD_MERGES_LIMIT = 1 << 20 }; /* rules; the largest published tokenizers have some 600,000 */

/** One rule: neighbours (left, right) become `merged`. Its rank is its place in the list; lower ranks
 *  go first. */
typedef struct pld_merge {
    int32_t left;
    int32_t right;
    int32_t merged;
} pld_merge;

/** Rules by rank, and ranks by pair through open addressing; starts as {0}. */
typedef struct pld_merges {
    pld_merge *rules; /**< [count] */
    size_t count;
    size_t capacity;
    struct pld_merge_slot *slots; /**< [slot_count] */
    size_t slot_count;            /**< a power of two, at least one and a half times the rules */
} pld_merges;

/** Where the ids of pieces come from. */
typedef struct pld_piece_finder {
    int32_t (*find)(const void *vocabulary, const char *piece, size_t length); /**< −1: no such piece */
    const void *vocabulary;
} pld_piece_finder;

/** One rule as a file states it. */
typedef struct pld_merge_text {
    const char *left;
    size_t left_length;
    const char *right;
    size_t right_length;
    size_t number; /**< line or entry, from 1, for messages */
} pld_merge_text;

/** Make room for `count` rules, before the first is added. `name` is the file for messages. */
pld_status pld_merges_reserve(pld_merges *merges, size_t count, const char *name, pld_error *error);

/** Add a rule with the next rank; there is room. Of two rules for one pair the later counts, as in the
 *  tokenizers library. */
void pld_merges_add(pld_merges *merges, pld_merge rule);

/** The same for a rule of a file: both parts and what they make together must be in the vocabulary. */
pld_status pld_merges_add_text(pld_merges *merges, const pld_piece_finder *finder, const pld_merge_text *rule,
                               const char *name, pld_error *error);

/** Split "left right" at its one space; false where it has none or more. `rule->number` stays. */
bool pld_merge_text_split(const char *line, size_t length, pld_merge_text *rule);

/** PLD_ERROR_FORMAT for a rule that is no two pieces. */
pld_status pld_merge_text_refuse(const char *name, size_t number, const char *found, size_t length,
                                 pld_error *error);

/** Read merges.txt: "left right" a line, first rank first; lines that begin with "#version" do not
 *  count. */
pld_status pld_merges_read_text(pld_merges *merges, const pld_piece_finder *finder, const char *text,
                                size_t size, const char *name, pld_error *error);

/** Read a list of "left right" or ["left", "right"], as tokenizer.json has it. */
pld_status pld_merges_read_list(pld_merges *merges, const pld_piece_finder *finder, const pld_json *list,
                                pld_error *error);

void pld_merges_free(pld_merges *merges);

/** The rank of the rule for a pair, or −1. */
int32_t pld_merges_find(const pld_merges *merges, int32_t left, int32_t right);

/** Memory that encoding reuses from word to word; starts as {0}. One thread at a time. */
typedef struct pld_word_space {
    struct pld_word_symbol *symbols;
    size_t symbol_capacity;
    uint64_t *heap; /**< rank << 32 | position */
    size_t heap_count;
    size_t heap_capacity;
} pld_word_space;

/** Merge the `*count` ids of a word in place, lowest rank first, leftmost first among equals, until no
 *  rule applies; time grows as n log n. PLD_ERROR_MEMORY is the only failure. */
pld_status pld_merges_apply(const pld_merges *merges, pld_word_space *space, int32_t *ids, size_t *count,
                            pld_error *error);

void pld_word_space_free(pld_word_space *space);

#endif
