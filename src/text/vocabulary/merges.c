/* SPDX-License-Identifier: Apache-2.0 */
#include "text/vocabulary/merges.h"

#include "core/memory.h"

/** The tag is a part of the pair's hash, so that most pairs without a rule are told without a look at
 *  the rules. */
typedef struct pld_merge_slot {
    uint32_t tag;
    uint32_t rank; /* + 1; 0: empty */
} slot;

static uint64_t hash_pair(int32_t left, int32_t right) {
    uint64_t key = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    return key ^ key >> 29;
}

/** The slot of a pair, or the empty one where it belongs. */
static slot *find_slot(const pld_merges *merges, int32_t left, int32_t right) {
    const size_t mask = merges->slot_count - 1;
    const uint64_t hash = hash_pair(left, right);
    const uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        slot *found = &merges->slots[at];
        if (found->rank == 0) {
            return found;
        }
        if (found->tag == tag) {
            const pld_merge *rule = &merges->rules[found->rank - 1];
            if (rule->left == left && rule->right == right) {
                return found;
            }
        }
    }
}

pld_status pld_merges_reserve(pld_merges *merges, size_t count, const char *name, pld_error *error) {
    if (count > PLD_MERGES_LIMIT) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected at most %d merges, found %zu", name,
                        (int)PLD_MERGES_LIMIT, count);
    }
    size_t slots = 16;
    while (slots < count + count / 2) {
        slots *= 2;
    }
    void *rules = merges->rules;
    merges->slots = pld_allocate(slots, sizeof *merges->slots);
    if (!merges->slots || !pld_grow(&rules, &merges->capacity, count ? count : 1, sizeof *merges->rules)) {
        return pld_fail_memory(error, slots * sizeof *merges->slots + count * sizeof *merges->rules, name);
    }
    merges->rules = rules;
    merges->slot_count = slots;
    return PLD_OK;
}

void pld_merges_add(pld_merges *merges, pld_merge rule) {
    slot *place = find_slot(merges, rule.left, rule.right);
    merges->rules[merges->count++] = rule;
    *place = (slot){(uint32_t)(hash_pair(rule.left, rule.right) >> 32), (uint32_t)merges->count};
}

int32_t pld_merges_find(const pld_merges *merges, int32_t left, int32_t right) {
    return (int32_t)find_slot(merges, left, right)->rank - 1;
}

void pld_merges_free(pld_merges *merges) {
    pld_free(merges->rules);
    pld_free(merges->slots);
    *merges = (pld_merges){0};
}
