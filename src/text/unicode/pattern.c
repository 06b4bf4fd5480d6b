/* SPDX-License-Identifier: Apache-2.0 */
#include "text/unicode/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "core/memory.h"

struct pld_pattern {
    pcre2_general_context *memory;
    pcre2_code *code;
    pcre2_match_data *match;
    const char *what;
};

static void *allocate(size_t size, void *unused) {
    (void)unused;
    return pld_allocate(size, 1);
}

static void give_back(void *memory, void *unused) {
    (void)unused;
    pld_free(memory);
}

void *pld_pattern_memory(void) {
    return pcre2_general_context_create(allocate, give_back, NULL);
}

static bool is_memory(int code) {
    return code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_HEAPLIMIT;
}

pld_status pld_pattern_open(const char *text, const char *what, pld_pattern **pattern, pld_error *error) {
    *pattern = NULL;
    pld_pattern *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, what);
    }
    int code = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE place = 0;
    made->what = what;
    made->memory = pld_pattern_memory();
    pcre2_compile_context *context = made->memory ? pcre2_compile_context_create(made->memory) : NULL;
    if (context) {
        made->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL, &code, &place, context);
        pcre2_compile_context_free(context);
    }
    if (made->code) {
        code = PCRE2_ERROR_NOMEMORY;
        made->match = pcre2_match_data_create(1, made->memory);
    }
    if (made->match) {
        *pattern = made;
        return PLD_OK;
    }
    pld_pattern_close(made);
    return is_memory(code)
               ? pld_fail_memory(error, strlen(text), what)
               : pld_fail(error, PLD_ERROR_INTERNAL,
                          "%s: PCRE2 refused the pattern at %zu (code %d); is it built with Unicode support?",
                          what, place, code);
}

void pld_pattern_close(pld_pattern *pattern) {
    if (pattern) {
        pcre2_match_data_free(pattern->match);
        pcre2_code_free(pattern->code);
        pcre2_general_context_free(pattern->memory);
        pld_free(pattern);
    }
}

pld_status pld_pattern_find(pld_pattern *pattern, const char *text, size_t length, size_t from, bool *found,
                            size_t *begin, size_t *end, pld_error *error) {
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(pattern->match);
    const int code =
        pcre2_match(pattern->code, (PCRE2_SPTR)text, length, from, PCRE2_NO_UTF_CHECK, pattern->match, NULL);
    *found = code >= 0;
    if (*found) {
        *begin = span[0];
        *end = span[1];
    }
    return is_memory(code) ? pld_fail_memory(error, length, pattern->what) : PLD_OK;
}
