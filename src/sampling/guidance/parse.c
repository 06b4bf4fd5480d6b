/* SPDX-License-Identifier: Apache-2.0 */
/* "NAME:KEY=VALUE,KEY=VALUE" */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "sampling/guidance/methods.h"
#include "text/prompt/number.h"

/** A piece of the text, not ended by a zero. */
typedef struct piece {
    const char *at;
    size_t length;
} piece;

/** For messages: at most this much of what was found. */
#define SHOWN(p) (int)((p).length < 60 ? (p).length : 60), (p).at

static void append(char *text, size_t size, const char *first, const char *word) {
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? ", " : first, word);
}

static pld_status unknown_method(piece name, pld_error *error) {
    char known[256] = "";
    for (const pld_guidance_method *const *row = pld_guidance_methods; *row; row++) {
        append(known, sizeof known, "", (*row)->name);
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT, "guidance: unknown method '%.*s'; the known methods are %s",
                    SHOWN(name), known);
}

static pld_status unknown_key(const pld_guidance_method *method, piece name, pld_error *error) {
    char known[256] = "";
    for (size_t i = 0; i < method->key_count; i++) {
        append(known, sizeof known, "its options are ", method->keys[i].name);
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT, "guidance %s: unknown option '%.*s'; %s", method->name,
                    SHOWN(name), *known ? known : "it has none");
}

/** "3", "inf" where the key takes it; in range. */
static pld_status read_number(const pld_guidance_method *method, const pld_guidance_key *key, piece value,
                              double *number, pld_error *error) {
    const bool infinite = key->takes_infinity && value.length == 3 && memcmp(value.at, "inf", 3) == 0;
    bool valid = infinite;
    if (infinite) {
        *number = INFINITY;
    } else {
        valid = value.length > 0 && pld_prompt_number_length(value.at, value.length) == value.length &&
                pld_prompt_read_number(value.at, value.length, number) && *number >= key->minimum &&
                *number <= key->maximum;
    }
    if (valid && key->kind == PLD_GUIDANCE_INTEGER) {
        valid = *number == floor(*number);
    }
    return valid ? PLD_OK
                 : pld_fail(error, PLD_ERROR_ARGUMENT,
                            "guidance %s: %s: expected %s from %g to %g%s, found '%.*s'", method->name,
                            key->name, key->kind == PLD_GUIDANCE_INTEGER ? "a whole number" : "a number",
                            key->minimum, key->maximum, key->takes_infinity ? " or inf" : "", SHOWN(value));
}

/** Names joined by "+", none of them empty. */
static pld_status read_layers(pld_guidance *g, const pld_guidance_key *key, piece value, pld_error *error) {
    bool empty = value.length == 0;
    for (size_t i = 0; i < value.length; i++) {
        empty = empty || (value.at[i] == '+' && (i == 0 || i + 1 == value.length || value.at[i - 1] == '+'));
    }
    if (empty || value.length >= sizeof g->layers) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "guidance %s: %s: expected block kinds (down, mid, up), numbers of blocks, all, or "
                        "names of sites, joined "
                        "by +, at most %zu bytes; found '%.*s'",
                        g->method->name, key->name, sizeof g->layers - 1, SHOWN(value));
    }
    memcpy(g->layers, value.at, value.length);
    g->layers[value.length] = 0;
    return PLD_OK;
}

static pld_status read_option(pld_guidance *g, piece option, pld_error *error) {
    const pld_guidance_method *method = g->method;
    const char *equals = memchr(option.at, '=', option.length);
    const piece name = {option.at, equals ? (size_t)(equals - option.at) : option.length};
    size_t i = 0;
    while (i < method->key_count && (strlen(method->keys[i].name) != name.length ||
                                     memcmp(method->keys[i].name, name.at, name.length) != 0)) {
        i++;
    }
    if (i == method->key_count) {
        return unknown_key(method, name, error);
    }
    if (!equals || g->given[i]) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "guidance %s: %s: expected %s", method->name,
                        method->keys[i].name, equals ? "one value, found a second" : "'=' and a value");
    }
    g->given[i] = true;
    const piece value = {equals + 1, option.length - name.length - 1};
    return method->keys[i].kind == PLD_GUIDANCE_LAYERS
               ? read_layers(g, &method->keys[i], value, error)
               : read_number(method, &method->keys[i], value, &g->values[i], error);
}

void pld_guidance_init(pld_guidance *g, const pld_guidance_method *method) {
    *g = (pld_guidance){.method = method};
    for (size_t i = 0; i < method->key_count; i++) {
        g->values[i] = method->keys[i].fallback;
        if (method->keys[i].kind == PLD_GUIDANCE_LAYERS) {
            snprintf(g->layers, sizeof g->layers, "%s", method->keys[i].fallback_text);
        }
    }
}

pld_status pld_guidance_parse(const char *text, pld_guidance *g, pld_error *error) {
    if (!text) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "guidance: a text is NULL");
    }
    const piece name = {text, strcspn(text, ":")};
    const pld_guidance_method *method = pld_guidance_find(name.at, name.length);
    if (!method) {
        return unknown_method(name, error);
    }
    pld_guidance_init(g, method);
    if (text[name.length] == 0) {
        return PLD_OK;
    }
    for (const char *at = text + name.length + 1;;) {
        const piece option = {at, strcspn(at, ",")};
        PLD_TRY(read_option(g, option, error));
        if (at[option.length] == 0) {
            return PLD_OK;
        }
        at += option.length + 1;
    }
}

pld_status pld_guidance_check(const char *text, pld_error *error) {
    pld_guidance g;
    return pld_guidance_parse(text, &g, error);
}

void pld_guidance_text(const pld_guidance *g, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", g->method->name);
    for (size_t i = 0; i < g->method->key_count && used < size; i++) {
        const pld_guidance_key *key = &g->method->keys[i];
        used += (size_t)snprintf(text + used, size - used, "%s%s ", i ? ", " : " (", key->name);
        if (used >= size) {
            return;
        }
        const bool layers = key->kind == PLD_GUIDANCE_LAYERS;
        used += (size_t)(layers ? pld_print_text(text + used, size - used, "%s", g->layers)
                                : pld_print_text(text + used, size - used, "%g", g->values[i]));
    }
    if (g->method->key_count && used < size) {
        snprintf(text + used, size - used, ")");
    }
}
