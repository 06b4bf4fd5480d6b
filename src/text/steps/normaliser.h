/* SPDX-License-Identifier: Apache-2.0 */
/** What happens to a text before it is split: steps one after the other, as a tokenizer's files list
 *  them. */
#ifndef PLD_TEXT_STEPS_NORMALISER_H
#define PLD_TEXT_STEPS_NORMALISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/json/read.h"
#include "text/steps/charsmap.h"
#include "text/steps/pattern.h"
#include "text/text_buffer.h"

enum { PLD_TOKENIZER_STEPS = 16 }; /* of a normaliser or splitter; published ones have up to 4 */

/** One step; which fields count is its kind's business. */
typedef struct pld_normaliser_step {
    const struct pld_normaliser_kind *kind;
    pld_charsmap map;
    pld_text_pattern *pattern;
    char *content; /**< what takes a match's place, or stands in front */
    size_t content_length;
    bool left, right; /**< which ends are stripped */
} pld_normaliser_step;

/** Starts as {0}. */
typedef struct pld_normaliser {
    pld_normaliser_step steps[PLD_TOKENIZER_STEPS];
    size_t count;
    char *name; /**< of the file that they come from, owned */
} pld_normaliser;

/** Append the steps of tokenizer.json's "normalizer" at `at` (a value of NULL: none). */
pld_status pld_normaliser_read(pld_normaliser *normaliser, const pld_json *at, pld_error *error);

/** Append steps for files that describe none. `name` is the file for messages. */
pld_status pld_normaliser_add_nfc(pld_normaliser *normaliser, const char *name, pld_error *error);
pld_status pld_normaliser_add_charsmap(pld_normaliser *normaliser, const uint8_t *bytes, size_t size,
                                       const char *name, pld_error *error);
pld_status pld_normaliser_add_replace(pld_normaliser *normaliser, const char *pattern, bool literal,
                                      const char *content, const char *name, pld_error *error);

/** `length` bytes of well-formed UTF-8 in normal form, into `out`, which is emptied first. `spare` is
 *  scratch. PLD_ERROR_UNSUPPORTED where steps make very much more of a text than any language needs. */
pld_status pld_normaliser_apply(const pld_normaliser *normaliser, const char *text, size_t length,
                                pld_text_buffer *out, pld_text_buffer *spare, pld_error *error);

void pld_normaliser_free(pld_normaliser *normaliser);

#endif
