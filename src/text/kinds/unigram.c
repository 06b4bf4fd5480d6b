/* SPDX-License-Identifier: Apache-2.0 */
/* The best path through a word, by the Viterbi algorithm (Kudo, 2018, section 3.2). */
#include "core/utf8.h"
#include "text/tokenizer_parts.h"

#define NO_WAY UINT32_MAX

static const double unknown_penalty = 10; /* SentencePiece's kUnkPenalty */

/** The best way to a place between two bytes of the word. */
typedef struct pld_path_node {
    double score;
    int32_t id;
    uint32_t begin; /* of the piece that ends here; NO_WAY: none does */
} node;

/** The keys of the trie: pieces with a score. */
static pld_status build_trie(pld_tokenizer_parts *parts, const char *name, pld_error *error) {
    const pld_unigram_model *model = &parts->unigram;
    pld_trie_key *keys = pld_allocate(model->score_count, sizeof *keys);
    if (!keys) {
        return pld_fail_memory(error, model->score_count * sizeof *keys, name);
    }
    for (size_t id = 0; id < model->score_count; id++) {
        size_t length = 0;
        const char *piece = pld_vocabulary_piece(&parts->vocabulary, (int64_t)id, &length);
        keys[id] = (pld_trie_key){piece ? piece : "", length, (int32_t)id};
    }
    const pld_status status = pld_trie_build(&parts->unigram.pieces, keys, model->score_count, name, error);
    pld_free(keys);
    return status;
}

pld_status pld_unigram_prepare(pld_tokenizer_parts *parts, const char *name, pld_error *error) {
    pld_unigram_model *model = &parts->unigram;
    if (parts->unknown_id < 0 || (size_t)parts->unknown_id >= model->score_count) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: unk_id: expected the id of a piece, below %zu, found %d; download it again from "
                        "the model's source",
                        name, model->score_count, (int)parts->unknown_id);
    }
    double least = model->scores[0];
    for (size_t i = 1; i < model->score_count; i++) {
        least = model->scores[i] < least ? model->scores[i] : least;
    }
    model->unknown_score = least - unknown_penalty;
    pld_find_byte_pieces(&parts->vocabulary, model->byte_ids);
    return build_trie(parts, name, error);
}

/** Enter a piece [begin, end) if the way over it is better. */
static void consider(node *nodes, size_t begin, size_t end, int32_t id, double score) {
    const double total = nodes[begin].score + score;
    if (nodes[end].begin == NO_WAY || total > nodes[end].score) {
        nodes[end] = (node){total, id, (uint32_t)begin};
    }
}

/** The best way to every place of the word. */
static void find_ways(const pld_tokenizer_parts *parts, const char *word, size_t length, node *nodes) {
    const pld_unigram_model *model = &parts->unigram;
    for (size_t i = 0; i <= length; i++) {
        nodes[i] = (node){.begin = NO_WAY};
    }
    for (size_t at = 0, size = 0; at < length; at += size) {
        int32_t point = 0;
        size = pld_utf8_decode(word + at, length - at, &point);
        bool single = false; /* the character is a piece by itself */
        uint32_t step = 0;
        for (size_t end = at; end < length;) {
            step = pld_trie_step(&model->pieces, step, (uint8_t)word[end++]);
            if (step == 0) {
                break;
            }
            const int32_t id = model->pieces.values[step];
            if (id >= 0) {
                consider(nodes, at, end, id, model->scores[id]);
                single = single || end - at == size;
            }
        }
        if (!single) {
            consider(nodes, at, at + size, parts->unknown_id, model->unknown_score);
        }
    }
}

/** Append the ids of a stretch that has no piece, or is one that only the whole of a stretch is. */
static pld_status append_unknown(const pld_tokenizer_parts *parts, const char *text, size_t length,
                                 pld_token_list *ids, pld_error *error) {
    const int32_t found = pld_find_model_piece(parts, text, length);
    bool all = false;
    if (found < 0 && parts->unigram.byte_fallback) {
        PLD_TRY(pld_append_bytes(parts->unigram.byte_ids, text, length, ids, &all, error));
    }
    if (!all && !pld_token_list_append(ids, found >= 0 ? found : parts->unknown_id)) {
        return pld_fail_memory(error, ids->count * sizeof *ids->ids, "ids of the prompt");
    }
    return PLD_OK;
}

/** Turn the ways back into the pieces of the best one, in order: afterwards nodes[i].begin is the end
 *  of the piece that begins at i, and nodes[i].id its id. */
static void turn_around(node *nodes, size_t length) {
    uint32_t end = (uint32_t)length;
    node at = nodes[end];
    while (end > 0) {
        const uint32_t begin = at.begin;
        const node before = nodes[begin];
        nodes[begin].begin = end;
        nodes[begin].id = at.id;
        at = before;
        end = begin;
    }
}

pld_status pld_unigram_encode(const pld_tokenizer_parts *parts, pld_encoding_space *space, const char *word,
                              size_t length, pld_token_list *ids, pld_error *error) {
    void *nodes = space->nodes;
    if (length >= NO_WAY || !pld_grow(&nodes, &space->node_capacity, length + 1, sizeof *space->nodes)) {
        return pld_fail_memory(error, length * sizeof *space->nodes, "a word of the prompt");
    }
    space->nodes = nodes;
    find_ways(parts, word, length, space->nodes);
    turn_around(space->nodes, length);
    for (size_t at = 0; at < length;) {
        const int32_t id = space->nodes[at].id;
        size_t end = space->nodes[at].begin;
        if (id == parts->unknown_id) { /* neighbours without a piece become one token */
            while (end < length && space->nodes[end].id == id) {
                end = space->nodes[end].begin;
            }
            PLD_TRY(append_unknown(parts, word + at, end - at, ids, error));
        } else if (!pld_token_list_append(ids, id)) {
            return pld_fail_memory(error, ids->count * sizeof *ids->ids, "ids of the prompt");
        }
        at = end;
    }
    return PLD_OK;
}
