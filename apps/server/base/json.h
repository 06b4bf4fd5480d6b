/* SPDX-License-Identifier: Apache-2.0 */
/** JSON of requests and replies: the server's one door to jansson's reading and writing. A document under construction counts
 *  every step that failed, so that nobody is told half of it. */
#ifndef PLADIS_SERVER_BASE_JSON_H
#define PLADIS_SERVER_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** A document under construction. Zero at the start. */
typedef struct reply_builder {
    bool failed;
} reply_builder;

/** Put `value`, which is taken over, into an object or behind a list; NULL is a step that failed. */
void reply_put(reply_builder *builder, json_t *object, const char *key, json_t *value);
void reply_append(reply_builder *builder, json_t *list, json_t *value);

/** A text as JSON: null for NULL, and what is not UTF-8 repaired. */
json_t *reply_text(const char *text);
/** A number as JSON: null unless finite. */
json_t *reply_number(double value);

/** `document`, or NULL, with it released, where a step failed. */
json_t *reply_finish(reply_builder *builder, json_t *document);

/** Text of a document, which the caller frees with free(); NULL: memory is out. */
char *reply_print(const json_t *document);

/** Read an object, list or other value of `size` bytes; keys twice are refused. NULL: `why` [size] says so in words. */
json_t *request_json(const char *text, size_t size, char *why, size_t why_size);

#endif
