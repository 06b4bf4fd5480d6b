/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json_build.h"

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

char *pld_json_dump(const json_t *value, size_t flags) {
    pld_kept_locale kept;
    pld_locale_set_c(&kept);
    char *text = json_dumps(value, flags);
    pld_locale_restore(&kept);
    return text;
}
