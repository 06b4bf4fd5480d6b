/* SPDX-License-Identifier: Apache-2.0 */
#include "io/clip_merges.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "io/prompt_utf8.h"

/** One rule as a file states it. */
typedef struct rule_text {
    const char *left;
    size_t left_length;
    const char *right;
    size_t right_length;
    size_t number; /* line or entry, from 1, for messages */
} rule_text;

static size_t hash_pair(int32_t left, int32_t right) {
    uint64_t key = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    return (size_t)(key ^ key >> 29);
}

/** The slot of a pair, or the empty one where it belongs. */
static size_t find_slot(const pld_clip_merges *merges, int32_t left, int32_t right) {
    size_t mask = merges->slot_count - 1;
    size_t slot = hash_pair(left, right) & mask;
    while (merges->slots[slot].left >= 0 &&
           (merges->slots[slot].left != left || merges->slots[slot].right != right)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static pld_status make_slots(pld_clip_merges *merges, size_t rules, const char *name, pld_error *error) {
    size_t count = 16;
    while (count < rules * 2) {
        count *= 2;
    }
    merges->slots = pld_allocate(count, sizeof *merges->slots);
    if (!merges->slots) {
        return pld_fail_memory(error, count * sizeof *merges->slots, name);
    }
    merges->slot_count = count;
    for (size_t i = 0; i < count; i++) {
        merges->slots[i].left = -1;
    }
    return PLD_OK;
}

/** The id of one piece of a rule; `what` says which in the message. */
static pld_status rule_piece(const pld_clip_vocabulary *vocabulary, const char *piece, size_t length,
                             const char *what, const char *name, size_t number, int32_t *id,
                             pld_error *error) {
    *id = pld_clip_vocabulary_find(vocabulary, piece, length);
    if (*id >= 0) {
        return PLD_OK;
    }
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: merge %zu: expected %s to be in the vocabulary, found '%.*s'; merges and vocabulary must "
        "come from the same model",
        name, number, what, (int)(length < 64 ? length : 64), piece);
}

/** Enter a rule. Of two rules for one pair the later counts, as in the tokenizers library. */
static pld_status add_rule(pld_clip_merges *merges, const pld_clip_vocabulary *vocabulary,
                           const rule_text *rule, uint32_t rank, const char *name, pld_error *error) {
    pld_clip_merge merge = {.rank = rank};
    PLD_TRY(rule_piece(vocabulary, rule->left, rule->left_length, "the first part", name, rule->number,
                       &merge.left, error));
    PLD_TRY(rule_piece(vocabulary, rule->right, rule->right_length, "the second part", name, rule->number,
                       &merge.right, error));
    size_t length = rule->left_length + rule->right_length;
    char *joined = pld_allocate(length + 1, 1);
    if (!joined) {
        return pld_fail_memory(error, length + 1, name);
    }
    memcpy(joined, rule->left, rule->left_length);
    memcpy(joined + rule->left_length, rule->right, rule->right_length);
    pld_status status = rule_piece(vocabulary, joined, length, "what the two parts make together", name,
                                   rule->number, &merge.merged, error);
    pld_free(joined);
    if (status == PLD_OK) {
        merges->slots[find_slot(merges, merge.left, merge.right)] = merge;
    }
    return status;
}

/** Split "left right" at its one space. */
static bool split_rule(const char *line, size_t length, rule_text *rule) {
    const char *space = memchr(line, ' ', length);
    if (!space || space == line) {
        return false;
    }
    size_t rest = length - (size_t)(space - line) - 1;
    *rule = (rule_text){.left = line,
                        .left_length = (size_t)(space - line),
                        .right = space + 1,
                        .right_length = rest,
                        .number = rule->number};
    return rest > 0 && !memchr(space + 1, ' ', rest);
}

static pld_status bad_rule(const char *name, size_t number, const char *found, size_t length,
                           pld_error *error) {
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: merge %zu: expected two pieces with one space between them, found '%.*s'; take the file "
        "from the model's source again",
        name, number, (int)(length < 64 ? length : 64), found);
}

pld_status pld_clip_merges_read_text(pld_clip_merges *merges, const pld_clip_vocabulary *vocabulary,
                                     const char *text, size_t size, const char *name, pld_error *error) {
    size_t lines = 1;
    for (size_t i = 0; i < size;) {
        int32_t code_point = 0;
        lines += text[i] == '\n';
        size_t step = pld_utf8_decode(text + i, size - i, &code_point);
        if (code_point < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: line %zu: expected UTF-8 text, found byte 0x%02x",
                            name, lines, (unsigned)(unsigned char)text[i]);
        }
        i += step;
    }
    if (size == 0) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: expected merges, one a line, found an empty file; copy it from the model's source", name);
    }
    PLD_TRY(make_slots(merges, lines, name, error));
    uint32_t rank = 0;
    rule_text rule = {0};
    for (size_t at = 0; at < size;) {
        const char *line = text + at;
        const char *newline = memchr(line, '\n', size - at);
        size_t length = newline ? (size_t)(newline - line) : size - at;
        at += length + 1;
        length -= length > 0 && line[length - 1] == '\r';
        if (length >= 8 && memcmp(line, "#version", 8) == 0) {
            continue;
        }
        rule.number++;
        if (!split_rule(line, length, &rule)) {
            return bad_rule(name, rule.number, line, length, error);
        }
        PLD_TRY(add_rule(merges, vocabulary, &rule, rank++, name, error));
    }
    return PLD_OK;
}

pld_status pld_clip_merges_read_list(pld_clip_merges *merges, const pld_clip_vocabulary *vocabulary,
                                     const pld_json *list, pld_error *error) {
    size_t count = json_array_size(list->value);
    PLD_TRY(make_slots(merges, count, list->file, error));
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list->value, i);
        const json_t *left = json_array_get(entry, 0);
        const json_t *right = json_array_get(entry, 1);
        rule_text rule = {.number = i + 1};
        bool good = false;
        if (json_is_string(entry)) {
            good = split_rule(json_string_value(entry), json_string_length(entry), &rule);
        } else if (json_array_size(entry) == 2 && json_is_string(left) && json_is_string(right)) {
            rule.left = json_string_value(left);
            rule.left_length = json_string_length(left);
            rule.right = json_string_value(right);
            rule.right_length = json_string_length(right);
            good = rule.left_length > 0 && rule.right_length > 0;
        }
        if (!good) {
            const char *found = json_is_string(entry) ? json_string_value(entry) : "something else";
            return bad_rule(list->file, i + 1, found, strlen(found), error);
        }
        PLD_TRY(add_rule(merges, vocabulary, &rule, (uint32_t)i, list->file, error));
    }
    return PLD_OK;
}

void pld_clip_merges_free(pld_clip_merges *merges) {
    pld_free(merges->slots);
    *merges = (pld_clip_merges){0};
}

const pld_clip_merge *pld_clip_merges_find(const pld_clip_merges *merges, int32_t left, int32_t right) {
    const pld_clip_merge *slot = &merges->slots[find_slot(merges, left, right)];
    return slot->left >= 0 ? slot : NULL;
}
