/* SPDX-License-Identifier: Apache-2.0 */
#include "text/steps/pattern.h"

#include <stdint.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/memory.h"
#include "text/text_buffer.h"
#include "text/unicode/characters.h"
#include "text/unicode/pattern.h"

enum {
    PATTERN_BYTES = 4096,
    MATCH_STEPS = 100 << 20, /* per match: a run of a megabyte takes some millions */
    MATCH_KILOBYTES = 256 << 10
};

struct pld_text_pattern {
    pcre2_general_context *memory;
    pcre2_match_context *limits;
    pcre2_code *code;
    char *name; /* of the file */
};

/** Classes that PCRE2 has otherwise: its own \s lacks or adds spaces, its Unicode is older. */
static const struct {
    const char *theirs;
    const char *members; /* for use inside [ ] */
    bool negated;
} classes[] = {
    {"\\s", PLD_CLIP_SPACES, false},
    {"\\S", PLD_CLIP_SPACES, true},
    {"\\p{L}", "\\p{L}" PLD_CLIP_NEW_LETTERS, false},
    {"\\P{L}", "\\p{L}" PLD_CLIP_NEW_LETTERS, true},
    {"\\p{N}", "\\p{N}" PLD_CLIP_NEW_NUMBERS, false},
    {"\\P{N}", "\\p{N}" PLD_CLIP_NEW_NUMBERS, true},
    {"\\h", "0-9A-Fa-f", false},
    {"\\H", "0-9A-Fa-f", true},
};

static pld_status append_text(pld_text_buffer *out, const char *text, pld_error *error) {
    return pld_text_append(out, text, strlen(text), error);
}

/** Append what stands for the class at `at`; its length there in `*taken`, 0: there is none. Inside
 *  brackets a negated class cannot be spelt out and stays PCRE2's own. */
static pld_status append_class(pld_text_buffer *out, const char *at, size_t rest, bool in_brackets,
                               size_t *taken, pld_error *error) {
    *taken = 0;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        const size_t length = strlen(classes[i].theirs);
        if (length > rest || memcmp(at, classes[i].theirs, length) != 0 ||
            (in_brackets && classes[i].negated)) {
            continue;
        }
        *taken = length;
        if (!in_brackets) {
            PLD_TRY(append_text(out, classes[i].negated ? "[^" : "[", error));
        }
        PLD_TRY(append_text(out, classes[i].members, error));
        return in_brackets ? PLD_OK : append_text(out, "]", error);
    }
    return PLD_OK;
}

/** Spell the classes of a pattern out. */
static pld_status translate(const char *text, size_t length, pld_text_buffer *out, pld_error *error) {
    bool in_brackets = false;
    for (size_t i = 0; i < length;) {
        size_t taken = 0;
        PLD_TRY(append_class(out, text + i, length - i, in_brackets, &taken, error));
        if (taken == 0) {
            taken = text[i] == '\\' && i + 1 < length ? 2 : 1;
            in_brackets = (in_brackets || text[i] == '[') && text[i] != ']';
            PLD_TRY(pld_text_append(out, text + i, taken, error));
        }
        i += taken;
    }
    return PLD_OK;
}

/** Limits of time and memory for patterns of strangers. */
static bool make_contexts(pld_text_pattern *made) {
    made->memory = pld_pattern_memory();
    made->limits = made->memory ? pcre2_match_context_create(made->memory) : NULL;
    if (made->limits) {
        pcre2_set_match_limit(made->limits, MATCH_STEPS);
        pcre2_set_heap_limit(made->limits, MATCH_KILOBYTES);
    }
    return made->limits;
}

static pld_status compile(pld_text_pattern *made, const char *text, size_t length, bool literal,
                          const char *name, pld_error *error) {
    int code = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE place = 0;
    pcre2_compile_context *context = make_contexts(made) ? pcre2_compile_context_create(made->memory) : NULL;
    if (context) {
        pcre2_set_parens_nest_limit(context, 32);
        /* \C would cut characters in two, and what follows relies on well-formed text. */
        const uint32_t options =
            literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
        made->code = pcre2_compile((PCRE2_SPTR)text, length, options, &code, &place, context);
        pcre2_compile_context_free(context);
    }
    if (made->code) {
        (void)pcre2_jit_compile(made->code,
                                PCRE2_JIT_COMPLETE); /* without it matching is slower, that is all */
        return PLD_OK;
    }
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED) {
        return pld_fail_memory(error, length, name);
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: the regular expression '%.80s' is not supported (PCRE2 refuses it with code %d)",
                    name, text, code);
}

pld_status pld_text_pattern_open(const char *text, size_t length, bool literal, const char *name,
                                 pld_text_pattern **pattern, pld_error *error) {
    *pattern = NULL;
    if (length == 0 || length > PATTERN_BYTES || memchr(text, '\0', length)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: expected a pattern of 1 to %d bytes, found %zu", name,
                        (int)PATTERN_BYTES, length);
    }
    pld_text_buffer translated = {0};
    pld_text_pattern *made = pld_allocate(1, sizeof *made);
    pld_status status = PLD_OK;
    if (!made || !(made->name = pld_copy_string(name))) {
        status = pld_fail_memory(error, length, name);
    } else if (literal) {
        status = pld_text_append(&translated, text, length, error);
    } else {
        status = translate(text, length, &translated, error);
    }
    if (status == PLD_OK) {
        status = pld_text_append(&translated, "", 1, error);
    }
    if (status == PLD_OK) {
        status = compile(made, translated.data, translated.used - 1, literal, name, error);
    }
    pld_text_buffer_free(&translated);
    if (status != PLD_OK) {
        pld_text_pattern_close(made);
        return status;
    }
    *pattern = made;
    return PLD_OK;
}

pld_status pld_text_pattern_read(const pld_json *at, const char *field, pld_text_pattern **pattern,
                                 pld_error *error) {
    pld_json found;
    const char *text = NULL;
    PLD_TRY(pld_json_object(at, field, PLD_JSON_REQUIRED, &found, error));
    const bool literal = pld_json_has(&found, "String");
    PLD_TRY(pld_json_get_string(&found, literal ? "String" : "Regex", PLD_JSON_REQUIRED, &text, error));
    return pld_text_pattern_open(text, strlen(text), literal, at->file, pattern, error);
}

void pld_text_pattern_close(pld_text_pattern *pattern) {
    if (pattern) {
        pcre2_code_free(pattern->code);
        pcre2_match_context_free(pattern->limits);
        pcre2_general_context_free(pattern->memory);
        pld_free(pattern->name);
        pld_free(pattern);
    }
}

/** The next match from `at` on; false: there is none. */
static pld_status next_match(const pld_text_pattern *pattern, const char *text, size_t length, size_t at,
                             pcre2_match_data *match, bool *found, pld_error *error) {
    /* The caller's text is well-formed; checking it again at every match would take quadratic time. */
    uint32_t options = PCRE2_NO_UTF_CHECK;
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)text, length, at, options, match, pattern->limits);
    if (code == PCRE2_ERROR_JIT_STACKLIMIT) {
        options |= PCRE2_NO_JIT;
        code = pcre2_match(pattern->code, (PCRE2_SPTR)text, length, at, options, match, pattern->limits);
    }
    *found = code >= 0;
    if (code >= 0 || code == PCRE2_ERROR_NOMATCH) {
        return PLD_OK;
    }
    if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAPLIMIT) {
        return pld_fail_memory(error, length, "matching the prompt");
    }
    return pld_fail(
        error, PLD_ERROR_UNSUPPORTED,
        "%s: a regular expression takes too long on this prompt (PCRE2's code %d); shorten the prompt",
        pattern->name, code);
}

/** One character further. */
static size_t step_over(const char *text, size_t length, size_t at) {
    do {
        at++;
    } while (at < length && ((unsigned char)text[at] & 0xC0u) == 0x80u);
    return at;
}

pld_status pld_text_pattern_visit(const pld_text_pattern *pattern, const char *text, size_t length,
                                  pld_text_pattern_visitor visitor, void *context, pld_error *error) {
    pcre2_match_data *match = pcre2_match_data_create(1, pattern->memory);
    if (!match) {
        return pld_fail_memory(error, length, "matching the prompt");
    }
    const PCRE2_SIZE *span = pcre2_get_ovector_pointer(match);
    pld_status status = PLD_OK;
    size_t done = 0; /* visited so far */
    for (size_t at = 0; at < length && status == PLD_OK;) {
        bool found = false;
        status = next_match(pattern, text, length, at, match, &found, error);
        if (status != PLD_OK || !found) {
            break;
        }
        if (span[1] <= span[0] || span[0] < at) { /* an empty match separates nothing */
            at = step_over(text, length, span[1] > at ? span[1] : at);
            continue;
        }
        if (span[0] > done) {
            status = visitor(context, text + done, span[0] - done, false, error);
        }
        if (status == PLD_OK) {
            status = visitor(context, text + span[0], span[1] - span[0], true, error);
        }
        at = done = span[1];
    }
    pcre2_match_data_free(match);
    if (status == PLD_OK && done < length) {
        status = visitor(context, text + done, length - done, false, error);
    }
    return status;
}
