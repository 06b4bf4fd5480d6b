/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/lists.h"

static int32_t find_piece(const void *context, const char *piece, size_t length) {
    pld_merge_pieces *pieces = (pld_merge_pieces *)context; /* its memory of the last piece changes */
    return pld_vocabulary_find_near(pieces->vocabulary, piece, length, &pieces->last);
}

pld_piece_finder pld_merge_pieces_finder(pld_merge_pieces *pieces) {
    return (pld_piece_finder){find_piece, pieces};
}

/** An upper bound of the elements of a list or object: the commas outside of strings, and one. */
static size_t bound_elements(const pld_json_cursor *cursor) {
    size_t count = 1;
    bool in_string = false;
    for (const char *at = cursor->at; at < cursor->end; at++) {
        if (in_string) {
            in_string = *at != '"';
            at += *at == '\\' && at + 1 < cursor->end;
        } else {
            in_string = *at == '"';
            count += *at == ',';
        }
    }
    return count;
}

pld_status pld_read_vocabulary_object(pld_vocabulary *vocabulary, pld_json_cursor *cursor, pld_error *error) {
    PLD_TRY(pld_vocabulary_reserve(vocabulary, bound_elements(cursor), cursor->name, error));
    PLD_TRY(pld_json_cursor_expect(cursor, '{', error));
    bool more = false;
    for (bool first = true;; first = false) {
        const char *piece = NULL;
        size_t length = 0;
        int32_t id = 0;
        PLD_TRY(pld_json_cursor_next(cursor, first, '}', &more, error));
        if (!more) {
            break;
        }
        PLD_TRY(pld_json_cursor_string(cursor, &piece, &length, error));
        PLD_TRY(pld_json_cursor_expect(cursor, ':', error));
        PLD_TRY(pld_json_cursor_id(cursor, &id, error));
        PLD_TRY(pld_vocabulary_put(vocabulary, piece, length, id, cursor->name, error));
    }
    return vocabulary->count > 0
               ? pld_vocabulary_index(vocabulary, PLD_REPEAT_REFUSED, cursor->name, error)
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: expected a vocabulary, {\"piece\": id, ...}, found no piece", cursor->name);
}

pld_status pld_read_scored_pieces(pld_tokenizer_parts *parts, pld_json_cursor *cursor, pld_error *error) {
    const size_t bound = bound_elements(cursor) / 2 + 1; /* an element has a comma of its own */
    pld_unigram_model *model = &parts->unigram;
    void *scores = NULL;
    PLD_TRY(pld_vocabulary_reserve(&parts->vocabulary, bound, cursor->name, error));
    if (!pld_grow(&scores, &model->score_capacity, bound, sizeof *model->scores)) {
        return pld_fail_memory(error, bound * sizeof *model->scores, cursor->name);
    }
    model->scores = scores;
    PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
    bool more = false;
    for (bool first = true;; first = false) {
        const char *piece = NULL;
        size_t length = 0;
        PLD_TRY(pld_json_cursor_next(cursor, first, ']', &more, error));
        if (!more) {
            break;
        }
        PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
        PLD_TRY(pld_json_cursor_string(cursor, &piece, &length, error));
        PLD_TRY(pld_vocabulary_put(&parts->vocabulary, piece, length, (int64_t)model->score_count,
                                   cursor->name, error));
        PLD_TRY(pld_json_cursor_expect(cursor, ',', error));
        PLD_TRY(pld_json_cursor_number(cursor, &model->scores[model->score_count++], error));
        PLD_TRY(pld_json_cursor_expect(cursor, ']', error));
    }
    return model->score_count > 0
               ? pld_vocabulary_index(&parts->vocabulary, PLD_REPEAT_MOVES, cursor->name, error)
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: model.vocab: expected pieces, found none",
                          cursor->name);
}

/** One merge: "left right" or ["left", "right"]. */
static pld_status read_merge(pld_tokenizer_parts *parts, const pld_piece_finder *finder,
                             pld_json_cursor *cursor, pld_text_buffer *left, size_t number,
                             pld_error *error) {
    pld_merge_text rule = {.number = number};
    const char *text = NULL;
    size_t length = 0;
    if (!pld_json_cursor_take(cursor, '[')) {
        PLD_TRY(pld_json_cursor_string(cursor, &text, &length, error));
        if (!pld_merge_text_split(text, length, &rule)) {
            return pld_merge_text_refuse(cursor->name, number, text, length, error);
        }
        return pld_merges_add_text(&parts->bpe.merges, finder, &rule, cursor->name, error);
    }
    PLD_TRY(pld_json_cursor_string(cursor, &text, &length, error));
    left->used = 0; /* the second string may take the first one's place */
    PLD_TRY(pld_text_append(left, text, length, error));
    rule.left = left->data;
    rule.left_length = left->used;
    PLD_TRY(pld_json_cursor_expect(cursor, ',', error));
    PLD_TRY(pld_json_cursor_string(cursor, &rule.right, &rule.right_length, error));
    PLD_TRY(pld_json_cursor_expect(cursor, ']', error));
    pld_vocabulary_expect(&parts->vocabulary, rule.left, rule.left_length);
    pld_vocabulary_expect(&parts->vocabulary, rule.right, rule.right_length);
    if (rule.left_length == 0 || rule.right_length == 0) {
        return pld_merge_text_refuse(cursor->name, number, "an empty one", 12, error);
    }
    return pld_merges_add_text(&parts->bpe.merges, finder, &rule, cursor->name, error);
}

/** A bound of the number of merges: each list of two has a comma of its own. */
static pld_status count_merges(const pld_json_cursor *cursor, size_t *count, pld_error *error) {
    pld_json_cursor first = {
        .begin = cursor->begin, .at = cursor->at, .end = cursor->end, .name = cursor->name};
    const bool pairs = pld_json_cursor_take(&first, '[') && pld_json_cursor_peek(&first) == '[';
    const size_t bound = bound_elements(cursor);
    *count = pairs ? bound / 2 + 1 : bound;
    if (*count > PLD_MERGES_LIMIT) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected at most %d merges, found about %zu",
                        cursor->name, (int)PLD_MERGES_LIMIT, *count);
    }
    return PLD_OK;
}

pld_status pld_read_merges(pld_tokenizer_parts *parts, pld_json_cursor *cursor, pld_error *error) {
    size_t count = 0;
    pld_merge_pieces pieces = {.vocabulary = &parts->vocabulary};
    const pld_piece_finder finder = pld_merge_pieces_finder(&pieces);
    PLD_TRY(count_merges(cursor, &count, error));
    PLD_TRY(pld_merges_reserve(&parts->bpe.merges, count, cursor->name, error));
    PLD_TRY(pld_json_cursor_expect(cursor, '[', error));
    pld_text_buffer left = {0};
    pld_status status = PLD_OK;
    bool more = true;
    for (size_t number = 1; status == PLD_OK && more; number++) {
        status = pld_json_cursor_next(cursor, number == 1, ']', &more, error);
        if (status == PLD_OK && more) {
            status = number > count ? pld_json_cursor_refuse(cursor, "the end of the merges", error)
                                    : read_merge(parts, &finder, cursor, &left, number, error);
        }
    }
    pld_text_buffer_free(&left);
    return status;
}
