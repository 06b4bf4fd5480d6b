/* SPDX-License-Identifier: Apache-2.0 */
/** What a tokenizer is made of; for src/text/clip alone. */
#ifndef PLD_TEXT_CLIP_INTERNAL_H
#define PLD_TEXT_CLIP_INTERNAL_H

#include <stdint.h>

#include "text/clip/added_tokens.h"
#include "text/clip/settings.h"
#include "text/clip/vocabulary.h"
#include "text/clip/words.h"
#include "text/vocabulary/merges.h"

/** Nothing changes after parsing. */
struct pld_clip_tokenizer {
    pld_clip_vocabulary vocabulary;
    pld_merges merges;
    pld_clip_added_tokens added;
    pld_clip_words *words;
    int32_t byte_ids[256];      /**< id of each byte inside a word */
    int32_t last_byte_ids[256]; /**< id of each byte at the end of a word ("</w>") */
    int32_t role_ids[PLD_CLIP_ROLE_COUNT];
    int32_t model_max_length;
};

#endif
