/* SPDX-License-Identifier: Apache-2.0 */
/** The long lists of tokenizer files in JSON: vocabularies and merges. Each is read from a cursor in
 *  front of it, which ends where the list does. */
#ifndef PLD_TEXT_SOURCES_LISTS_H
#define PLD_TEXT_SOURCES_LISTS_H

#include "core/status.h"
#include "text/sources/json_cursor.h"
#include "text/tokenizer_parts.h"

/** {"piece": id, …} into an empty vocabulary. */
pld_status pld_read_vocabulary_object(pld_vocabulary *vocabulary, pld_json_cursor *cursor, pld_error *error);

/** [["piece", score], …], where the place is the id, into an empty vocabulary and Unigram model. */
pld_status pld_read_scored_pieces(pld_tokenizer_parts *parts, pld_json_cursor *cursor, pld_error *error);

/** ["left right", …] or [["left", "right"], …] into the byte-pair model, whose vocabulary is there. */
pld_status pld_read_merges(pld_tokenizer_parts *parts, pld_json_cursor *cursor, pld_error *error);

/** The look-ups of a list of merges, in a vocabulary without repetitions. */
typedef struct pld_merge_pieces {
    const pld_vocabulary *vocabulary;
    int32_t last; /**< what a merge made last */
} pld_merge_pieces;

pld_piece_finder pld_merge_pieces_finder(pld_merge_pieces *pieces);

#endif
