/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/session/recent_texts.h"

#include <string.h>

#include "core/memory.h"

/** False when memory is out; *copy is empty then. */
static bool copy_states(const pld_prompt_states *states, pld_text_widths widths, pld_prompt_states *copy) {
    const size_t numbers = (size_t)states->tokens * widths.context;
    *copy = (pld_prompt_states){.states = pld_allocate(numbers, sizeof(float)),
                                .pooled = pld_allocate(widths.pooled, sizeof(float)),
                                .tokens = states->tokens,
                                .zeros = states->zeros};
    if (!copy->states || !copy->pooled) {
        pld_prompt_states_free(copy);
        return false;
    }
    memcpy(copy->states, states->states, numbers * sizeof(float));
    if (widths.pooled > 0) {
        memcpy(copy->pooled, states->pooled, widths.pooled * sizeof(float));
    }
    return true;
}

static bool same_manner(pld_text_manner a, pld_text_manner b) {
    const bool same_instruction = a.instruction && b.instruction ? strcmp(a.instruction, b.instruction) == 0
                                                                 : a.instruction == b.instruction;
    return a.literal == b.literal && a.empty == b.empty && a.clip_skip == b.clip_skip &&
           a.max_tokens == b.max_tokens && same_instruction;
}

static void drop(pld_recent_text *item) {
    pld_free(item->prompt);
    pld_free(item->instruction);
    pld_prompt_states_free(&item->states);
    *item = (pld_recent_text){0};
}

pld_status pld_recent_texts_find(pld_recent_texts *recent, const char *prompt, pld_text_manner manner,
                                 pld_text_widths widths, pld_prompt_states *states, bool *found,
                                 pld_error *error) {
    *found = false;
    for (int i = 0; i < PLD_RECENT_TEXTS; i++) {
        pld_recent_text *item = &recent->items[i];
        if (!item->prompt || !same_manner(item->manner, manner) || strcmp(item->prompt, prompt) != 0) {
            continue;
        }
        if (!copy_states(&item->states, widths, states)) {
            return pld_fail_memory(error, (size_t)item->states.tokens * widths.context * sizeof(float),
                                   "text states");
        }
        item->used = ++recent->clock;
        *found = true;
        return PLD_OK;
    }
    return PLD_OK;
}

void pld_recent_texts_keep(pld_recent_texts *recent, const char *prompt, pld_text_manner manner,
                           pld_text_widths widths, const pld_prompt_states *states) {
    pld_recent_text *oldest = &recent->items[0];
    for (int i = 1; i < PLD_RECENT_TEXTS; i++) {
        oldest = recent->items[i].used < oldest->used ? &recent->items[i] : oldest;
    }
    drop(oldest);
    oldest->prompt = pld_copy_string(prompt);
    oldest->instruction = manner.instruction ? pld_copy_string(manner.instruction) : NULL;
    if (!oldest->prompt || (manner.instruction && !oldest->instruction) ||
        !copy_states(states, widths, &oldest->states)) {
        drop(oldest);
        return;
    }
    oldest->manner = manner;
    oldest->manner.instruction = oldest->instruction;
    oldest->used = ++recent->clock;
}

void pld_recent_texts_free(pld_recent_texts *recent) {
    for (int i = 0; i < PLD_RECENT_TEXTS; i++) {
        drop(&recent->items[i]);
    }
}
