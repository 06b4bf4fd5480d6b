/* SPDX-License-Identifier: Apache-2.0 */
/** What a person should know of a prompt before it is drawn: said once for each text of a model. */
#ifndef PLD_TEXT_PROMPT_REVIEW_H
#define PLD_TEXT_PROMPT_REVIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "core/log.h"
#include "core/status.h"
#include "text/prompt/known_words.h"

/** The texts that were spoken of, the last ones of them; safe from several threads. */
typedef struct pld_reviewed_texts pld_reviewed_texts;

pld_status pld_reviewed_texts_create(pld_reviewed_texts **reviewed, pld_error *error);
void pld_reviewed_texts_destroy(pld_reviewed_texts **reviewed);

/** A text and how it is read. */
typedef struct pld_review_request {
    const char *text;
    size_t length;
    bool literal;                 /**< without syntax */
    bool negative;                /**< it is a negative prompt */
    const pld_known_words *known; /**< NULL: the model brings no list */
    bool no_weights;              /**< the model takes every prompt as it stands, so weights are words */
} pld_review_request;

/** Tell the log of bytes that are not UTF-8, of syntax of other programs, and of words that the model was not
 *  trained on. Does nothing where `reviewed` (may be NULL) has the text already. A text that
 *  pld_prompt_parse refuses fails likewise. */
pld_status pld_review_prompt(const pld_review_request *request, const pld_log *log,
                             pld_reviewed_texts *reviewed, pld_error *error);

#endif
