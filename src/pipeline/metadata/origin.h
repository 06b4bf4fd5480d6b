/* SPDX-License-Identifier: Apache-2.0 */
/** Which program wrote a PNG's metadata, and what of another one's can be taken over. */
#ifndef PLD_PIPELINE_METADATA_ORIGIN_H
#define PLD_PIPELINE_METADATA_ORIGIN_H

#include "pipeline/metadata/a1111_read.h"

/** A program that leaves its settings in pictures. */
typedef struct pld_metadata_origin {
    const char *program;
    const char *key;  /**< the text that it writes */
    const char *word; /**< what that text holds, or NULL */
    /** The text in the form of our own metadata, and in `left_out` what is missing; NULL: it cannot be, or a step of the builder
     *  failed. */
    json_t *(*read)(pld_json_builder *builder, const char *text, json_t *left_out);
} pld_metadata_origin;

/** The first origin whose text is among `text`, pairs key, value, …, NULL; `*value` is that text. NULL: none.
 */
const pld_metadata_origin *pld_metadata_origin_find(char *const *text, const char **value);

/** The value of `key`, the last of several; NULL: there is none. */
const char *pld_metadata_text(char *const *text, const char *key);

#endif
