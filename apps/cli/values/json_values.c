/* SPDX-License-Identifier: Apache-2.0 */
#include "values/json_values.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "values/utf8.h"

static atomic_bool memory_was_out;

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL) {
        atomic_store(&memory_was_out, true);
    }
    return memory;
}

void json_watch_memory(void) {
    json_set_alloc_funcs(allocate, free);
}

bool json_memory_was_out(void) {
    return atomic_load(&memory_was_out);
}

void json_note_out_of_memory(void) {
    atomic_store(&memory_was_out, true);
}

json_t *json_text(const char *text) {
    if (text == NULL) {
        return json_null();
    }
    char *repaired = utf8_repaired(text);
    json_t *value = repaired != NULL ? json_string(repaired) : NULL;
    if (repaired == NULL) {
        atomic_store(&memory_was_out, true);
    }
    free(repaired);
    return value;
}

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/** `value` unless memory was out, of which a reader need not tell. */
static json_t *take_whole(json_t *value, json_error_t *problem) {
    if (!json_memory_was_out()) {
        return value;
    }
    json_decref(value);
    snprintf(problem->text, sizeof problem->text, "out of memory");
    return NULL;
}

json_t *json_read(const char *text, size_t size, json_error_t *problem) {
    return take_whole(json_loadb(text, size, JSON_REJECT_DUPLICATES, problem), problem);
}

json_t *json_read_text(const char *text, size_t size, json_error_t *problem) {
    json_t *value = take_whole(json_loadb(text, size, JSON_DECODE_ANY, problem), problem);
    if (json_is_string(value)) {
        return value;
    }
    json_decref(value);
    return NULL;
}

char *json_write(const json_t *value, size_t flags) {
    char *text = value != NULL ? json_dumps(value, flags) : NULL;
    if (text != NULL && json_memory_was_out()) {
        free(text);
        return NULL;
    }
    return text;
}
