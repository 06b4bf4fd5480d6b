/* SPDX-License-Identifier: Apache-2.0 */
/** Which program wrote a PNG's metadata, and what of another one's can be taken over. */
#ifndef PLADIS_CLI_REQUEST_PICTURE_ORIGIN_H
#define PLADIS_CLI_REQUEST_PICTURE_ORIGIN_H

#include <jansson.h>

/** A program that leaves its settings in pictures. */
typedef struct picture_origin {
    const char *program;
    const char *key;  /**< the text that it writes */
    const char *word; /**< what that text holds, or NULL */
    /** The text in the form of our own metadata, and in `left_out` what is missing; NULL: it cannot be. */
    json_t *(*read)(const char *text, json_t *left_out);
} picture_origin;

/** The first origin whose text is among `text`, pairs key, value, …, NULL; `*value` is that text. NULL: none.
 */
const picture_origin *picture_origin_find(char *const *text, const char **value);

/** The value of `key`, the last of several; NULL: there is none. */
const char *picture_origin_text(char *const *text, const char *key);

#endif
