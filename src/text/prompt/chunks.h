/* SPDX-License-Identifier: Apache-2.0 */
/** Prompts cut into pieces that a text encoder takes: chunks of `positions` ids, as A1111's tokenize_line
 *  cuts them (with chunks of 75 content tokens in CLIP, positions − 2).
 *
 *  A chunk is start token, up to positions − 2 content tokens, end token, padding. Each part of the prompt is
 *  tokenised on its own, its tokens fill the chunk at hand, and a full chunk is followed by the next. Where
 *  the last comma of a full chunk is among its last 20 tokens, and the token to come is no comma, what stands
 *  behind that comma moves on into the next chunk. A break ends the chunk at hand, even an empty one; at the
 *  end of the prompt no empty chunk follows it. Nothing is dropped.
 *
 *  How the weights act (done where the text encoder is): each chunk is encoded by itself; each token's state
 * is multiplied by its weight; the chunk is then scaled by its old mean / its new mean, unless the new mean
 * is zero; chunks are joined along the token axis. When every weight of a chunk is 1 its states stay
 * untouched. A pooled embedding comes from the first chunk, unweighted. Start, end and padding have weight 1.
 */
#ifndef PLD_TEXT_PROMPT_CHUNKS_H
#define PLD_TEXT_PROMPT_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/prompt/weights.h"
#include "text/tokenizer.h"

/** One call of the text encoder. `ids[0 .. used)` are the content and what stands around it; the rest is padding. */
typedef struct pld_prompt_chunk {
    int32_t *ids;   /**< [positions] */
    float *weights; /**< [positions] */
    size_t content; /**< tokens between start and end */
    size_t used;
} pld_prompt_chunk;

/** A prompt for one tokenizer; starts as {0}. */
typedef struct pld_prompt_chunks {
    size_t positions; /**< ids of every chunk */
    pld_prompt_chunk *chunks;
    size_t count; /**< at least 1 */
    size_t capacity;
    pld_token_list dropped; /**< content tokens that a literal prompt had to leave out, in order */
    bool weighted;          /**< some weight is not 1 */
    size_t unseen;          /**< ids behind the first whose states are not used: of an instruction */
} pld_prompt_chunks;

/** Chunks of parsed parts. `positions` is the text encoder's (77 in SD), at least 3.
 *  On failure `chunks` is empty. Free with pld_prompt_chunks_free. */
pld_status pld_prompt_chunks_build(const pld_tokenizer *tokenizer, const pld_prompt_parts *parts,
                                   size_t positions, pld_prompt_chunks *chunks, pld_error *error);

/** One chunk of the text as it is, without syntax: the first positions − 2 tokens, as transformers truncates;
 *  the others are listed in `dropped`. */
pld_status pld_prompt_chunks_literal(const pld_tokenizer *tokenizer, const char *text, size_t length,
                                     size_t positions, pld_prompt_chunks *chunks, pld_error *error);

/** Free everything and empty the struct. */
void pld_prompt_chunks_free(pld_prompt_chunks *chunks);

#endif
