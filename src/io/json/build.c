/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json/build.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

void pld_json_put(pld_json_builder *builder, json_t *object, const char *key, json_t *value) {
    builder->failed = json_object_set_new(object, key, value) != 0 || builder->failed;
}

void pld_json_append(pld_json_builder *builder, json_t *list, json_t *value) {
    builder->failed = json_array_append_new(list, value) != 0 || builder->failed;
}

json_t *pld_json_finish(const pld_json_builder *builder, json_t *document) {
    if (builder->failed) {
        json_decref(document);
        return NULL;
    }
    return document;
}

typedef struct json_text {
    char *bytes;
    size_t size, capacity;
    bool failed;
} json_text;

/** jansson goes on after some failures of its writer, a lost key among them, so they are remembered here. */
static int append(const char *bytes, size_t count, void *context) {
    json_text *text = context;
    text->failed =
        text->failed || !pld_grow((void **)&text->bytes, &text->capacity, text->size + count + 1, 1);
    if (text->failed) {
        return -1;
    }
    memcpy(text->bytes + text->size, bytes, count);
    text->size += count;
    text->bytes[text->size] = '\0';
    return 0;
}

char *pld_json_dump(const json_t *value, size_t flags) {
    json_text text = {0};
    pld_kept_locale kept;
    pld_locale_set_c(&kept);
    const bool done = json_dump_callback(value, append, &text, flags) == 0 && !text.failed && text.bytes;
    pld_locale_restore(&kept);
    if (!done) {
        pld_free(text.bytes);
        return NULL;
    }
    return text.bytes;
}
