/* SPDX-License-Identifier: Apache-2.0 */
/** Making JSON documents: a step that fails is remembered, and the finished document is asked for once. */
#ifndef PLD_IO_JSON_BUILD_H
#define PLD_IO_JSON_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Begins as {0}. */
typedef struct pld_json_builder {
    bool failed; /**< memory was out, or a text was not UTF-8, at some step */
} pld_json_builder;

/** Put `value`, which is taken over, into an object or at the end of a list. NULL in the place of either, as
 * jansson's makers give it when memory is out, makes the document fail. */
void pld_json_put(pld_json_builder *builder, json_t *object, const char *key, json_t *value);
void pld_json_append(pld_json_builder *builder, json_t *list, json_t *value);

/** `document`, or NULL, the document released, when it or one of its parts could not be made. */
json_t *pld_json_finish(const pld_json_builder *builder, json_t *document);

/** The text of json_dumps whatever the locale, whole; released with pld_free. NULL: memory is out. */
char *pld_json_dump(const json_t *value, size_t flags);

#endif
