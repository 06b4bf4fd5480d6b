/* SPDX-License-Identifier: Apache-2.0 */
/** The pieces that begin at a place of a text, found byte by byte: a trie that is built once and never
 *  changes. */
#ifndef PLD_TEXT_VOCABULARY_TRIE_H
#define PLD_TEXT_VOCABULARY_TRIE_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/** A string and the number that stands for it; borrowed while the trie is built. */
typedef struct pld_trie_key {
    const char *bytes;
    size_t length; /**< an empty key is passed over */
    int32_t value; /**< of equal keys that which comes last counts */
} pld_trie_key;

/** Nodes level by level, so that the children of a node lie side by side, by their bytes; starts as
 *  {0}. Nine bytes a node: one of a prefix of the keys. */
typedef struct pld_trie {
    uint8_t *labels;     /**< [count] the byte that leads to a node */
    uint32_t *first;     /**< [count + 1] a node's children are first[i] … first[i + 1] − 1 */
    int32_t *values;     /**< [count] of the key that ends here, or −1 */
    size_t count;        /**< node 0 is the root */
    uint32_t roots[256]; /**< the root's children by byte; 0: none */
} pld_trie;

/** Sorts `keys`. `name` stands for the trie in messages. */
pld_status pld_trie_build(pld_trie *trie, pld_trie_key *keys, size_t count, const char *name,
                          pld_error *error);

/** The child of `node` by a byte; 0: none. */
uint32_t pld_trie_step(const pld_trie *trie, uint32_t node, uint8_t byte);

/** The longest key at the beginning of the text: its value, and its length in `*matched`; −1: none. */
int32_t pld_trie_longest(const pld_trie *trie, const char *text, size_t length, size_t *matched);

void pld_trie_free(pld_trie *trie);

#endif
