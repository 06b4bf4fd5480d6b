/* SPDX-License-Identifier: Apache-2.0 */
/* Merging one word: its symbols are a linked list, the pairs that a rule covers wait in a heap. */
#include <stdbool.h>

#include "core/memory.h"
#include "text/vocabulary/merges.h"

enum {
    NONE = -1,
    BRANCHES = 4 /* of the heap: its levels are fewer than a binary one's, and each one cache line */
};

/** A piece of the word. Positions are indices of the symbols, which never move. */
typedef struct pld_word_symbol {
    int32_t id; /* NONE: swallowed by its left neighbour */
    int32_t previous;
    int32_t next;
} symbol;

/** Enter a pair by its rule's rank and its place; the heap has room. */
static void heap_push(pld_word_space *space, uint64_t key) {
    size_t at = space->heap_count++;
    while (at > 0 && key < space->heap[(at - 1) / BRANCHES]) {
        space->heap[at] = space->heap[(at - 1) / BRANCHES];
        at = (at - 1) / BRANCHES;
    }
    space->heap[at] = key;
}

/** Take the first key of a heap that is not empty. */
static uint64_t heap_pop(pld_word_space *space) {
    const uint64_t first = space->heap[0];
    const uint64_t moved = space->heap[--space->heap_count];
    const size_t count = space->heap_count;
    size_t at = 0;
    for (size_t child = 1; child < count; child = BRANCHES * at + 1) {
        size_t least = child;
        const size_t end = child + BRANCHES < count ? child + BRANCHES : count;
        for (size_t i = child + 1; i < end; i++) {
            least = space->heap[i] < space->heap[least] ? i : least;
        }
        if (moved <= space->heap[least]) {
            break;
        }
        space->heap[at] = space->heap[least];
        at = least;
    }
    space->heap[at] = moved;
    return first;
}

/** Enter the pair that begins at `position`, if there is one and a rule covers it. */
static void consider(const pld_merges *merges, pld_word_space *space, int32_t position) {
    if (position == NONE || space->symbols[position].next == NONE) {
        return;
    }
    const symbol *left = &space->symbols[position];
    const int32_t rank = pld_merges_find(merges, left->id, space->symbols[left->next].id);
    if (rank >= 0) {
        heap_push(space, (uint64_t)(uint32_t)rank << 32 | (uint32_t)position);
    }
}

/** Carry out a rule unless the pair it was entered for is gone. */
static void merge_pair(const pld_merges *merges, pld_word_space *space, uint64_t key) {
    const int32_t position = (int32_t)(key & INT32_MAX);
    const int32_t merged = merges->rules[key >> 32].merged;
    symbol *left = &space->symbols[position];
    if (left->id == NONE || left->next == NONE) {
        return;
    }
    symbol *right = &space->symbols[left->next];
    const int32_t rank = pld_merges_find(merges, left->id, right->id);
    if (rank < 0 || merges->rules[rank].merged != merged) {
        return;
    }
    left->id = merged;
    right->id = NONE;
    left->next = right->next;
    if (right->next != NONE) {
        space->symbols[right->next].previous = position;
    }
    consider(merges, space, left->previous);
    consider(merges, space, position);
}

/** Room for a word of `count` symbols: each merge removes a symbol and enters at most two pairs. */
static bool make_room(pld_word_space *space, size_t count) {
    size_t pairs = 0;
    void *symbols = space->symbols;
    void *heap = space->heap;
    bool good = count < INT32_MAX && pld_multiply(count, 3, &pairs) &&
                pld_grow(&symbols, &space->symbol_capacity, count, sizeof *space->symbols);
    space->symbols = symbols;
    good = good && pld_grow(&heap, &space->heap_capacity, pairs, sizeof *space->heap);
    space->heap = heap;
    return good;
}

pld_status pld_merges_apply(const pld_merges *merges, pld_word_space *space, int32_t *ids, size_t *count,
                            pld_error *error) {
    if (*count < 2) {
        return PLD_OK;
    }
    if (!make_room(space, *count)) {
        return pld_fail_memory(error, *count, "a word of the prompt");
    }
    const int32_t symbols = (int32_t)*count;
    for (int32_t i = 0; i < symbols; i++) {
        space->symbols[i] = (symbol){.id = ids[i], .previous = i - 1, .next = i + 1 < symbols ? i + 1 : NONE};
    }
    space->heap_count = 0;
    for (int32_t i = 0; i < symbols; i++) {
        consider(merges, space, i);
    }
    while (space->heap_count > 0) {
        merge_pair(merges, space, heap_pop(space));
    }
    *count = 0;
    for (int32_t i = 0; i != NONE; i = space->symbols[i].next) {
        ids[(*count)++] = space->symbols[i].id;
    }
    return PLD_OK;
}

void pld_word_space_free(pld_word_space *space) {
    pld_free(space->symbols);
    pld_free(space->heap);
    *space = (pld_word_space){0};
}
