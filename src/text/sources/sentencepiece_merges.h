/* SPDX-License-Identifier: Apache-2.0 */
/** Merge rules for a SentencePiece BPE model, whose file has only pieces with scores. */
#ifndef PLD_TEXT_SOURCES_SENTENCEPIECE_MERGES_H
#define PLD_TEXT_SOURCES_SENTENCEPIECE_MERGES_H

#include <stdbool.h>

#include "core/status.h"
#include "text/sources/sentencepiece_model.h"
#include "text/vocabulary/merges.h"
#include "text/vocabulary/vocabulary.h"

/** Fill an empty table with every pair of pieces that makes a piece. By scores: pieces of high score
 *  first, normal ones alone, as SentencePiece merges; else in the order of ids and with all pieces, as
 *  transformers does it for Gemma. Of one piece the rules with a short left part go first. `vocabulary`
 *  holds the model's pieces. */
pld_status pld_sentencepiece_merges(const pld_sentencepiece_model *model, const pld_vocabulary *vocabulary,
                                    bool by_scores, pld_merges *merges, const char *name, pld_error *error);

#endif
