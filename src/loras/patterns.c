/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/patterns.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/memory.h"
#include "text/unicode/pattern.h"

enum {
    KEY_BYTES = 1024,
    STEPS_OF_MATCH = 100000, /* honest keys need some hundred */
    DEPTH_OF_MATCH = 1000,
    HEAP_KIB_OF_MATCH = 1024,
    STEPS_OF_FILE = 400000000 /* about two seconds; a key for each module of a large network takes a tenth */
};

struct pld_lora_patterns {
    pld_json table;
    pcre2_general_context *memory;
    pcre2_compile_context *compile;
    pcre2_match_context *limits;
    pcre2_match_data *match;
    const char **keys; /* [count] */
    pcre2_code **codes;
    size_t count;
    long steps; /* taken by all matches so far */
};

/** Called before each item of an expression that is tried. */
static int count_step(pcre2_callout_block *block, void *user) {
    pld_lora_patterns *patterns = user;
    (void)block;
    return ++patterns->steps > STEPS_OF_FILE ? PCRE2_ERROR_MATCHLIMIT : 0;
}

/** What Python does not have or reads as something else than PCRE2 does; NULL: nothing. */
static const char *foreign_syntax(const char *key) {
    static const char *const pieces[] = {"(*", "{,", "[:"};
    for (const char *at = key; (at = strchr(at, '\\')) != NULL && at[1]; at += 2) {
        const bool letter = (at[1] >= 'a' && at[1] <= 'z') || (at[1] >= 'A' && at[1] <= 'Z');
        if (letter && !strchr("AbBdDsSwWZafnrtvx", at[1])) {
            return at;
        }
    }
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (strstr(key, pieces[i])) {
            return strstr(key, pieces[i]);
        }
    }
    return NULL;
}

static pld_status refuse_key(const pld_lora_patterns *patterns, const char *key, const char *why,
                             pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: field '%s': the key '%.80s' cannot be matched as a regular expression: %s; use "
                    "module names, or expressions that mean the same in Python and PCRE2",
                    patterns->table.file, patterns->table.path, key, why);
}

static pld_status compile_key(pld_lora_patterns *patterns, const char *key, pld_error *error) {
    const char *foreign = foreign_syntax(key);
    if (foreign) {
        char why[48] = "found ";
        strncat(why, foreign, 2);
        return refuse_key(patterns, key, why, error);
    }
    if (strlen(key) > KEY_BYTES) {
        return refuse_key(patterns, key, "longer than 1024 bytes", error);
    }
    char *text = pld_format("(.*\\.)?(%s)$", key);
    if (!text) {
        return pld_fail_memory(error, strlen(key), "pattern");
    }
    int code = 0;
    PCRE2_SIZE place = 0;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C,
                      &code, &place, patterns->compile);
    pld_free(text);
    if (compiled) {
        patterns->keys[patterns->count] = key;
        patterns->codes[patterns->count++] = compiled;
        return PLD_OK;
    }
    if (code == PCRE2_ERROR_HEAP_FAILED) {
        return pld_fail_memory(error, strlen(key), "pattern");
    }
    PCRE2_UCHAR why[128] = "";
    pcre2_get_error_message(code, why, sizeof why);
    return refuse_key(patterns, key, (const char *)why, error);
}

/** Everything but the expressions. */
static bool make_contexts(pld_lora_patterns *patterns, size_t count) {
    patterns->keys = pld_allocate(count, sizeof *patterns->keys);
    patterns->codes = pld_allocate(count, sizeof *patterns->codes);
    patterns->memory = pld_pattern_memory();
    if (!patterns->keys || !patterns->codes || !patterns->memory) {
        return false;
    }
    patterns->compile = pcre2_compile_context_create(patterns->memory);
    patterns->limits = pcre2_match_context_create(patterns->memory);
    patterns->match = pcre2_match_data_create(1, patterns->memory);
    if (!patterns->compile || !patterns->limits || !patterns->match) {
        return false;
    }
    pcre2_set_newline(patterns->compile, PCRE2_NEWLINE_LF);
    pcre2_set_match_limit(patterns->limits, STEPS_OF_MATCH);
    pcre2_set_depth_limit(patterns->limits, DEPTH_OF_MATCH);
    pcre2_set_heap_limit(patterns->limits, HEAP_KIB_OF_MATCH);
    pcre2_set_callout(patterns->limits, count_step, patterns);
    return true;
}

pld_status pld_lora_patterns_open(const pld_json *table, pld_lora_patterns **patterns, pld_error *error) {
    const size_t count = json_object_size(table->value);
    *patterns = pld_allocate(1, sizeof **patterns);
    if (!*patterns) {
        return pld_fail_memory(error, sizeof **patterns, "patterns");
    }
    (*patterns)->table = *table;
    if (count == 0) {
        return PLD_OK;
    }
    if (!make_contexts(*patterns, count)) {
        return pld_fail_memory(error, count * sizeof(pcre2_code *), "patterns");
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)table->value, key, value) {
        PLD_TRY(compile_key(*patterns, key, error));
    }
    return PLD_OK;
}

void pld_lora_patterns_close(pld_lora_patterns **patterns) {
    pld_lora_patterns *closed = *patterns;
    *patterns = NULL;
    if (!closed) {
        return;
    }
    for (size_t i = 0; i < closed->count; i++) {
        pcre2_code_free(closed->codes[i]);
    }
    pcre2_match_data_free(closed->match);
    pcre2_match_context_free(closed->limits);
    pcre2_compile_context_free(closed->compile);
    pcre2_general_context_free(closed->memory);
    pld_free(closed->keys);
    pld_free(closed->codes);
    pld_free(closed);
}

size_t pld_lora_patterns_count(const pld_lora_patterns *patterns) {
    return patterns->count;
}

pld_status pld_lora_patterns_find(pld_lora_patterns *patterns, const char *name, size_t length,
                                  const char **key, pld_error *error) {
    *key = NULL;
    for (size_t i = 0; i < patterns->count; i++) {
        const int found = pcre2_match(patterns->codes[i], (PCRE2_SPTR)name, length, 0, 0, patterns->match,
                                      patterns->limits);
        if (found >= 0) {
            *key = patterns->keys[i];
            return PLD_OK;
        }
        if (found == PCRE2_ERROR_NOMEMORY) {
            return pld_fail_memory(error, length, "pattern");
        }
        if (found != PCRE2_ERROR_NOMATCH) {
            return refuse_key(patterns, patterns->keys[i], "matching it takes too many steps", error);
        }
    }
    return PLD_OK;
}
