/* SPDX-License-Identifier: Apache-2.0 */
/** What a tokenizer is made of; for clip_tokenizer*.c alone. */
#ifndef PLD_IO_CLIP_TOKENIZER_INTERNAL_H
#define PLD_IO_CLIP_TOKENIZER_INTERNAL_H

#include <stdint.h>

#include "io/clip_added_tokens.h"
#include "io/clip_settings.h"
#include "io/clip_vocabulary.h"
#include "io/clip_words.h"
#include "io/merges.h"

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
