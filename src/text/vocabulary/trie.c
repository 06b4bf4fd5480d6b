/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary/trie.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static int by_bytes(const void *left, const void *right) {
    const pld_trie_key *a = left;
    const pld_trie_key *b = right;
    const size_t common = a->length < b->length ? a->length : b->length;
    const int order = common ? memcmp(a->bytes, b->bytes, common) : 0;
    if (order != 0) {
        return order;
    }
    return a->length != b->length ? (a->length > b->length) - (a->length < b->length)
                                  : (a->value > b->value) - (a->value < b->value);
}

/** The keys below a node that is still to be opened: keys[begin … end − 1] agree in `depth` bytes. */
typedef struct stretch {
    uint32_t begin, end, depth;
} stretch;

/** The nodes of sorted keys: one, and one for each byte that a key has beyond what it shares with the
 *  one before. */
static bool count_nodes(const pld_trie_key *keys, size_t count, size_t *nodes) {
    *nodes = 1;
    for (size_t i = 0; i < count; i++) {
        size_t shared = 0;
        if (i > 0) {
            const size_t most = keys[i].length < keys[i - 1].length ? keys[i].length : keys[i - 1].length;
            while (shared < most && keys[i].bytes[shared] == keys[i - 1].bytes[shared]) {
                shared++;
            }
        }
        *nodes += keys[i].length - shared;
    }
    return *nodes < UINT32_MAX;
}

/** Take keys that end at the node off its stretch, and append one node for each byte that others go on
 *  with. */
static void open_node(pld_trie *trie, const pld_trie_key *keys, stretch *waiting, size_t node) {
    stretch at = waiting[node];
    trie->first[node] = (uint32_t)trie->count;
    while (at.begin < at.end && keys[at.begin].length == at.depth) {
        trie->values[node] = keys[at.begin++].value;
    }
    while (at.begin < at.end) {
        const uint8_t label = (uint8_t)keys[at.begin].bytes[at.depth];
        uint32_t end = at.begin + 1;
        while (end < at.end && (uint8_t)keys[end].bytes[at.depth] == label) {
            end++;
        }
        trie->labels[trie->count] = label;
        trie->values[trie->count] = -1;
        waiting[trie->count++] = (stretch){at.begin, end, at.depth + 1};
        at.begin = end;
    }
}

pld_status pld_trie_build(pld_trie *trie, pld_trie_key *keys, size_t count, const char *name,
                          pld_error *error) {
    if (count > 1) {
        qsort(keys, count, sizeof *keys, by_bytes);
    }
    size_t skipped = 0;
    while (skipped < count && keys[skipped].length == 0) {
        skipped++;
    }
    keys += skipped;
    count -= skipped;
    size_t nodes = 0;
    if (count >= UINT32_MAX || !count_nodes(keys, count, &nodes)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: the pieces have too many bytes", name);
    }
    stretch *waiting = pld_allocate(nodes, sizeof *waiting);
    trie->labels = pld_allocate(nodes, sizeof *trie->labels);
    trie->first = pld_allocate(nodes + 1, sizeof *trie->first);
    trie->values = pld_allocate(nodes, sizeof *trie->values);
    if (!waiting || !trie->labels || !trie->first || !trie->values) {
        pld_free(waiting);
        pld_trie_free(trie);
        return pld_fail_memory(error, nodes * 21, name);
    }
    trie->count = 1;
    trie->values[0] = -1;
    waiting[0] = (stretch){0, (uint32_t)count, 0};
    for (size_t node = 0; node < nodes; node++) {
        open_node(trie, keys, waiting, node);
    }
    trie->first[nodes] = (uint32_t)nodes;
    pld_free(waiting);
    for (uint32_t child = trie->first[0]; child < trie->first[1]; child++) {
        trie->roots[trie->labels[child]] = child;
    }
    return PLD_OK;
}

uint32_t pld_trie_step(const pld_trie *trie, uint32_t node, uint8_t byte) {
    if (node == 0) {
        return trie->roots[byte];
    }
    uint32_t low = trie->first[node];
    uint32_t high = trie->first[node + 1];
    while (high - low > 8) {
        const uint32_t middle = low + (high - low) / 2;
        if (trie->labels[middle] <= byte) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (; low < high; low++) {
        if (trie->labels[low] == byte) {
            return low;
        }
    }
    return 0;
}

int32_t pld_trie_longest(const pld_trie *trie, const char *text, size_t length, size_t *matched) {
    int32_t value = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < length && (node = pld_trie_step(trie, node, (uint8_t)text[i])) != 0; i++) {
        if (trie->values[node] >= 0) {
            value = trie->values[node];
            *matched = i + 1;
        }
    }
    return value;
}

void pld_trie_free(pld_trie *trie) {
    pld_free(trie->labels);
    pld_free(trie->first);
    pld_free(trie->values);
    *trie = (pld_trie){0};
}
