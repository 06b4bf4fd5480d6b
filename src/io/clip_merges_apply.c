/* SPDX-License-Identifier: Apache-2.0 */
/* Merging one word: its symbols are a linked list, the pairs that a rule covers wait in a heap. */
#include <stdbool.h>

#include "core/memory.h"
#include "io/clip_merges.h"

enum { NONE = -1 };

/** A piece of the word. Positions are indices of the symbols, which never move. */
typedef struct pld_clip_symbol {
    int32_t id; /* NONE: swallowed by its left neighbour */
    int32_t previous;
    int32_t next;
} symbol;

/** A pair (the symbol at `position` and the one after it) that a rule covered when it was entered. */
typedef struct pld_clip_candidate {
    uint32_t rank;
    int32_t position;
    int32_t merged;
} candidate;

static bool goes_first(candidate a, candidate b) {
    return a.rank != b.rank ? a.rank < b.rank : a.position < b.position;
}

/** Enter a candidate; the heap has room. */
static void heap_push(pld_clip_word_space *space, candidate entry) {
    size_t at = space->heap_count++;
    while (at > 0 && goes_first(entry, space->heap[(at - 1) / 2])) {
        space->heap[at] = space->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    space->heap[at] = entry;
}

/** Take the first candidate of a heap that is not empty. */
static candidate heap_pop(pld_clip_word_space *space) {
    candidate first = space->heap[0];
    candidate moved = space->heap[--space->heap_count];
    size_t at = 0;
    for (size_t child = 1; child < space->heap_count; child = 2 * at + 1) {
        child += child + 1 < space->heap_count && goes_first(space->heap[child + 1], space->heap[child]);
        if (!goes_first(space->heap[child], moved)) {
            break;
        }
        space->heap[at] = space->heap[child];
        at = child;
    }
    space->heap[at] = moved;
    return first;
}

/** Enter the pair that begins at `position`, if there is one and a rule covers it. */
static void consider(const pld_clip_merges *merges, pld_clip_word_space *space, int32_t position) {
    if (position == NONE || space->symbols[position].next == NONE) {
        return;
    }
    const symbol *left = &space->symbols[position];
    const pld_clip_merge *merge = pld_clip_merges_find(merges, left->id, space->symbols[left->next].id);
    if (merge) {
        heap_push(space, (candidate){merge->rank, position, merge->merged});
    }
}

/** Carry out a candidate unless the pair it was made for is gone. */
static void merge_pair(const pld_clip_merges *merges, pld_clip_word_space *space, candidate chosen) {
    symbol *left = &space->symbols[chosen.position];
    if (left->id == NONE || left->next == NONE) {
        return;
    }
    symbol *right = &space->symbols[left->next];
    const pld_clip_merge *merge = pld_clip_merges_find(merges, left->id, right->id);
    if (!merge || merge->merged != chosen.merged) {
        return;
    }
    left->id = chosen.merged;
    right->id = NONE;
    left->next = right->next;
    if (right->next != NONE) {
        space->symbols[right->next].previous = chosen.position;
    }
    consider(merges, space, left->previous);
    consider(merges, space, chosen.position);
}

/** Room for a word of `count` symbols: each merge removes a symbol and enters at most two candidates. */
static bool make_room(pld_clip_word_space *space, size_t count) {
    size_t candidates = 0;
    void *symbols = space->symbols;
    void *heap = space->heap;
    bool good = count < INT32_MAX && pld_multiply(count, 3, &candidates) &&
                pld_grow(&symbols, &space->symbol_capacity, count, sizeof *space->symbols);
    space->symbols = symbols;
    good = good && pld_grow(&heap, &space->heap_capacity, candidates, sizeof *space->heap);
    space->heap = heap;
    return good;
}

pld_status pld_clip_merges_apply(const pld_clip_merges *merges, pld_clip_word_space *space, int32_t *ids,
                                 size_t *count, pld_error *error) {
    if (*count < 2) {
        return PLD_OK;
    }
    if (!make_room(space, *count)) {
        return pld_fail_memory(error, *count, "a word of the prompt");
    }
    int32_t symbols = (int32_t)*count;
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

void pld_clip_word_space_free(pld_clip_word_space *space) {
    pld_free(space->symbols);
    pld_free(space->heap);
    *space = (pld_clip_word_space){0};
}
