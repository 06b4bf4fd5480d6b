/* SPDX-License-Identifier: Apache-2.0 */
#include "text/sources/json_outline.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"

enum { LONGEST_WHOLE_NUMBER = 18 /* digits that always fit into 64 bits */ };

/** The copying of a document without its cuts. */
typedef struct outline {
    const char *text;
    size_t length;
    char *copy;
    size_t used;
    size_t depth;
    const char *key; /* the last string at depth 1 or 2, without its quotes */
    size_t key_length;
    const char *object; /* the key at depth 1 under which the object at depth 2 stands */
    size_t object_length;
} outline;

/** The place behind the string that begins at `at`. */
static size_t string_end(const outline *state, size_t at) {
    for (at++; at < state->length && state->text[at] != '"'; at++) {
        at += state->text[at] == '\\';
    }
    return at < state->length ? at + 1 : state->length;
}

/** The place behind the list or object that begins at `at`. */
static size_t value_end(const outline *state, size_t at) {
    size_t depth = 0;
    while (at < state->length) {
        const char c = state->text[at];
        if (c == '"') {
            at = string_end(state, at);
            continue;
        }
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        at++;
        if (depth == 0) {
            break;
        }
    }
    return at;
}

static bool is_field(const char *key, size_t length, const char *field) {
    return key && strlen(field) == length && memcmp(key, field, length) == 0;
}

/** The cut that stands at this opening bracket. */
static pld_json_cut *find_cut(const outline *state, pld_json_cut *cuts, size_t count) {
    for (size_t i = 0; i < count && state->depth == 2; i++) {
        if (!cuts[i].begin && is_field(state->object, state->object_length, cuts[i].object) &&
            is_field(state->key, state->key_length, cuts[i].field)) {
            return &cuts[i];
        }
    }
    return NULL;
}

static void keep(outline *state, size_t at, size_t length) {
    memcpy(state->copy + state->used, state->text + at, length);
    state->used += length;
}

/** Copy a number, as a real one where it has too many digits. The copy has room: see below. */
static size_t keep_number(outline *state, size_t at) {
    size_t end = at;
    while (end < state->length && state->text[end] >= '0' && state->text[end] <= '9') {
        end++;
    }
    const int next = end < state->length ? state->text[end] : '\0';
    const bool whole = next != '.' && next != 'e' && next != 'E' && (at == 0 || state->text[at - 1] != '.');
    if (whole && end - at > LONGEST_WHOLE_NUMBER) {
        memcpy(state->copy + state->used, "1e18", 4); /* no more than "too much" is meant by it */
        state->used += 4;
    } else {
        keep(state, at, end - at);
    }
    return end;
}

/** An opening bracket: a cut is left out, others are gone into. */
static size_t open_bracket(outline *state, size_t at, pld_json_cut *cuts, size_t count) {
    pld_json_cut *cut = find_cut(state, cuts, count);
    if (cut) {
        const size_t end = value_end(state, at);
        cut->begin = state->text + at;
        cut->length = end - at;
        memcpy(state->copy + state->used, "null", 4);
        state->used += 4;
        return end;
    }
    state->depth++;
    if (state->depth == 2) {
        state->object = state->key;
        state->object_length = state->key_length;
    }
    state->key = NULL;
    keep(state, at, 1);
    return at + 1;
}

/** Copy one string, number or character at `at`; the place behind it. */
static size_t step(outline *state, size_t at, pld_json_cut *cuts, size_t count) {
    const char c = state->text[at];
    if (c == '"') {
        const size_t end = string_end(state, at);
        if (state->depth <= 2) {
            state->key = state->text + at + 1;
            state->key_length = end - at < 2 ? 0 : end - at - 2;
        }
        keep(state, at, end - at);
        return end;
    }
    if (c == '[' || c == '{') {
        return open_bracket(state, at, cuts, count);
    }
    if (c >= '0' && c <= '9') {
        return keep_number(state, at);
    }
    if (c == ']' || c == '}') {
        state->depth -= state->depth > 0;
    }
    if (c == ',' || c == ']' || c == '}') {
        state->key = NULL; /* what follows is under another key */
    }
    keep(state, at, 1);
    return at + 1;
}

pld_status pld_json_outline(const char *text, size_t length, const char *name, pld_json_cut *cuts,
                            size_t cut_count, json_t **document, pld_error *error) {
    outline state = {.text = text, .length = length};
    size_t room = 0;
    *document = NULL;
    /* Each cut is at least two characters and becomes four. */
    if (pld_add(length, 2 * cut_count + 1, &room)) {
        state.copy = pld_allocate(room, 1);
    }
    if (!state.copy) {
        return pld_fail_memory(error, length, name);
    }
    for (size_t at = 0; at < length;) {
        at = step(&state, at, cuts, cut_count);
    }
    const pld_status status = pld_json_parse(state.copy, state.used, name, document, error);
    pld_free(state.copy);
    return status;
}

pld_json_cursor pld_json_cut_cursor(const pld_json_cut *cut, const char *text, const char *name) {
    return (pld_json_cursor){.begin = text, .at = cut->begin, .end = cut->begin + cut->length, .name = name};
}
