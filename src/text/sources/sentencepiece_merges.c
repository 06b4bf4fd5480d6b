/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/sentencepiece_merges.h"

#include <stdlib.h>

#include "core/memory.h"

enum { LONGEST_PIECE = 512 /* bytes: every place in it is tried */ };

/** A piece and where it stands among those that are merged. */
typedef struct ranked {
    float score;
    uint32_t id;
} ranked;

static int by_score(const void *left, const void *right) {
    const ranked *a = left;
    const ranked *b = right;
    return a->score != b->score ? (a->score < b->score) - (a->score > b->score)
                                : (a->id > b->id) - (a->id < b->id);
}

/** Whether merges make or use a piece. */
static bool is_merged(const pld_sentencepiece_model *model, int32_t id, bool normal_only) {
    return id >= 0 && (size_t)id < model->count &&
           (!normal_only || model->pieces[id].type == PLD_PIECE_NORMAL);
}

/** The two parts of a piece at a place between two characters, where both are pieces. */
static bool split_at(const pld_sentencepiece_model *model, const pld_vocabulary *vocabulary, uint32_t id,
                     size_t at, bool normal_only, pld_merge *rule) {
    const pld_sentencepiece *piece = &model->pieces[id];
    rule->merged = (int32_t)id;
    rule->left = pld_vocabulary_find(vocabulary, piece->text, at);
    if (!is_merged(model, rule->left, normal_only)) {
        return false;
    }
    rule->right = pld_vocabulary_find(vocabulary, piece->text + at, piece->length - at);
    return is_merged(model, rule->right, normal_only);
}

/** Say that the left parts of a piece will be looked for soon. */
static void expect_parts(const pld_sentencepiece *piece, const pld_vocabulary *vocabulary) {
    for (size_t at = 1; at < piece->length; at++) {
        if (((unsigned char)piece->text[at] & 0xC0u) != 0x80u) {
            pld_vocabulary_expect(vocabulary, piece->text, at);
        }
    }
}

/** Append the rules that make one piece, those with a short left part first. */
static pld_status append_rules(const pld_sentencepiece_model *model, const pld_vocabulary *vocabulary,
                               uint32_t id, bool normal_only, pld_merges *rules, const char *name,
                               pld_error *error) {
    const pld_sentencepiece *piece = &model->pieces[id];
    if (piece->length > LONGEST_PIECE) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: piece %u: expected at most %d bytes in a BPE model, found %zu", name, id,
                        (int)LONGEST_PIECE, piece->length);
    }
    for (size_t at = 1; at < piece->length && is_merged(model, (int32_t)id, normal_only); at++) {
        pld_merge rule;
        if (((unsigned char)piece->text[at] & 0xC0u) == 0x80u ||
            !split_at(model, vocabulary, id, at, normal_only, &rule)) {
            continue;
        }
        void *grown = rules->rules;
        if (rules->count == PLD_MERGES_LIMIT ||
            !pld_grow(&grown, &rules->capacity, rules->count + 1, sizeof *rules->rules)) {
            return rules->count == PLD_MERGES_LIMIT
                       ? pld_fail(error, PLD_ERROR_UNSUPPORTED,
                                  "%s: expected pieces with at most %d merges, found more", name,
                                  (int)PLD_MERGES_LIMIT)
                       : pld_fail_memory(error, rules->count * sizeof *rules->rules, name);
        }
        rules->rules = grown;
        rules->rules[rules->count++] = rule;
    }
    return PLD_OK;
}

pld_status pld_sentencepiece_merges(const pld_sentencepiece_model *model, const pld_vocabulary *vocabulary,
                                    bool by_scores, pld_merges *merges, const char *name, pld_error *error) {
    ranked *order = pld_allocate(model->count, sizeof *order);
    if (!order) {
        return pld_fail_memory(error, model->count * sizeof *order, name);
    }
    for (uint32_t i = 0; i < model->count; i++) {
        order[i] = (ranked){by_scores ? model->pieces[i].score : 0, i};
    }
    if (by_scores) {
        qsort(order, model->count, sizeof *order, by_score);
    }
    pld_merges rules = {0}; /* a list: how many there are must be known before the table is made */
    pld_status status = PLD_OK;
    for (size_t i = 0; i < model->count && status == PLD_OK; i++) {
        if (i + 1 < model->count) {
            expect_parts(&model->pieces[order[i + 1].id], vocabulary);
        }
        status = append_rules(model, vocabulary, order[i].id, by_scores, &rules, name, error);
    }
    if (status == PLD_OK) {
        status = pld_merges_reserve(merges, rules.count, name, error);
    }
    for (size_t i = 0; i < rules.count && status == PLD_OK; i++) {
        pld_merges_add(merges, rules.rules[i]);
    }
    pld_merges_free(&rules);
    pld_free(order);
    return status;
}
