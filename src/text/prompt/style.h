/* SPDX-License-Identifier: Apache-2.0 */
/** How a prompt becomes the ids of one text encoder: a row. */
#ifndef PLD_TEXT_PROMPT_STYLE_H
#define PLD_TEXT_PROMPT_STYLE_H

#include "text/prompt/chunks.h"

/** What an encoder is given of a text without tokens, as only those tokenizers make that put nothing around a text. */
typedef enum pld_empty_text {
    PLD_EMPTY_UNSET, /**< of a frame: it is refused */
    PLD_EMPTY_NOTHING,
    PLD_EMPTY_TOKEN /**< one of padding, which counts */
} pld_empty_text;

/** A prompt and how it is read. */
typedef struct pld_prompt_text {
    const char *text;
    size_t length;
    bool literal;       /**< as it stands, without syntax */
    bool unframed;      /**< without the frame's template around it: a part of a prompt */
    size_t most_tokens; /**< of a style without chunks; 0: the model's own limit */
    /** Of a style without chunks: a text in front, in the place of the frame's. It does not count against the limit, and
     * the states of its tokens but the first and the last are not used. NULL: none. */
    const char *instruction;
    pld_empty_text empty; /**< what goes before the frame's */
} pld_prompt_text;

/** What a model says of the texts of one encoder. */
typedef struct pld_prompt_frame {
    size_t positions;     /**< most ids of a text; of each chunk where the style has chunks */
    pld_empty_text empty; /**< of a style without chunks */
    bool folded;          /**< white space around the text is cut off, and letters are made small, first */
    const char *before;   /**< template around the text; NULL: nothing */
    const char *after;
} pld_prompt_frame;

typedef struct pld_prompt_style {
    const char *name;
    bool weighs; /**< weights and BREAK act; else every prompt is literal */
    /** Ids of a prompt; `chunks` is empty on failure. Free it with pld_prompt_chunks_free. */
    pld_status (*cut)(const pld_tokenizer *tokenizer, const pld_prompt_text *text,
                      const pld_prompt_frame *frame, pld_prompt_chunks *chunks, pld_error *error);
} pld_prompt_style;

/** CLIP's in Stable Diffusion: chunks of `positions`, weights and BREAK as in A1111; or, of a literal prompt, one
 * chunk. */
extern const pld_prompt_style pld_prompt_style_chunks;

/** The same of prompts that are all literal: of encoders beside one that has no use for the syntax. */
extern const pld_prompt_style pld_prompt_style_literal;

/** One text of as many ids as it has, `positions` at the most, as transformers cuts it, without padding: texts that
 * are encoded with a mask, which hides all that would be filled up. */
extern const pld_prompt_style pld_prompt_style_whole;

/** The same, filled up with padding to `positions`: texts that are encoded without a mask, where padding is text. */
extern const pld_prompt_style pld_prompt_style_filled;

#endif
