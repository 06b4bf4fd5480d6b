/* SPDX-License-Identifier: Apache-2.0 */
/** From the text of a prompt to chunks, and what is checked on the way. */
#ifndef PLD_PIPELINE_PROMPTS_CHECK_H
#define PLD_PIPELINE_PROMPTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "pladis/pladis.h"
#include "text/prompt/style.h"

/** Ids of a prompt for text encoder `index` of a model, with the number of chunks checked against what is drawn and,
 *  behind the first encoder, against its `*tokens` (chunks times positions), which the first one sets. Free `chunks`
 *  with pld_prompt_chunks_free; empty on failure. */
pld_status pld_prompt_cut_for(const pld_model *model, int index, const pld_prompt_text *text, int64_t *tokens,
                              pld_prompt_chunks *chunks, pld_error *error);

/** The same for the model's conditioner, whose ids are one chunk of at least one. */
pld_status pld_prompt_cut_for_conditioner(const pld_model *model, const pld_prompt_text *text,
                                          pld_prompt_chunks *chunks, pld_error *error);

/** Tell the model's log of what is to be said of a prompt, once for each text. */
pld_status pld_model_review_prompt(const pld_model *model, const pld_prompt_text *text, bool negative,
                                   pld_error *error);

/** pld_tokenize of a text with what is asked of it. */
pld_status pld_tokenize_text(const pld_model *model, const pld_prompt_text *text, pld_tokens **tokens,
                             pld_error *error);

#endif
