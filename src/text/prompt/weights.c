/* SPDX-License-Identifier: Apache-2.0 */
#include "text/prompt/weights.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/prompt/lexer.h"

static const double bracket_factor = 1.1;
static const double square_factor = 1 / 1.1;

/** A stretch of the prompt before neighbours of equal weight are joined. */
typedef struct fragment {
    size_t begin;
    size_t length;
    double weight;
    bool is_break_word; /* BREAK as a word of its own, with the white space around it */
} fragment;

/** What stands in the prompt for a break, and the weight by which A1111 tells it from the word. */
static const char break_word[] = "BREAK";
static const double break_weight = -1;

/** Brackets of one kind that are open: the fragments from which on each counts. */
typedef struct open_brackets {
    size_t starts[PLD_PROMPT_DEPTH_LIMIT];
    size_t count;
} open_brackets;

/** The state of a parse. */
typedef struct parser {
    const char *text;
    fragment *fragments;
    size_t count;
    size_t capacity;
    open_brackets rounds;
    open_brackets squares;
    pld_error *error;
} parser;

static pld_status add_fragment(parser *state, size_t begin, size_t length, bool is_break_word) {
    void *fragments = state->fragments;
    if (!pld_grow(&fragments, &state->capacity, state->count + 1, sizeof *state->fragments)) {
        return pld_fail_memory(state->error, state->count * sizeof *state->fragments, "parts of the prompt");
    }
    state->fragments = fragments;
    state->fragments[state->count++] =
        (fragment){begin, length, is_break_word ? break_weight : 1.0, is_break_word};
    return PLD_OK;
}

/** Add text, cut at every BREAK. */
static pld_status add_text(parser *state, size_t begin, size_t length) {
    size_t end = begin + length;
    size_t before = 0;
    size_t after = 0;
    while (pld_prompt_find_break(state->text + begin, end - begin, &before, &after)) {
        PLD_TRY(add_fragment(state, begin, before, false));
        PLD_TRY(add_fragment(state, begin + before, after - before, true));
        begin += after;
    }
    return add_fragment(state, begin, end - begin, false);
}

static pld_status open_bracket(parser *state, open_brackets *brackets, char sign) {
    if (brackets->count == PLD_PROMPT_DEPTH_LIMIT) {
        return pld_fail(
            state->error, PLD_ERROR_ARGUMENT,
            "prompt: expected at most %d brackets '%c' open at a time, found more; close them, or write "
            "\\%c for a plain one",
            (int)PLD_PROMPT_DEPTH_LIMIT, sign, sign);
    }
    brackets->starts[brackets->count++] = state->count;
    return PLD_OK;
}

/** Apply the factor of a bracket to everything since it was opened. One multiplication at a time, innermost
 *  first, so that weights are the same doubles as in A1111. */
static void close_bracket(parser *state, open_brackets *brackets, double factor) {
    for (size_t i = brackets->starts[--brackets->count]; i < state->count; i++) {
        state->fragments[i].weight *= factor;
    }
}

static pld_status take_token(parser *state, const pld_prompt_token *token) {
    switch (token->kind) {
    case PLD_PROMPT_ESCAPE:
        return add_fragment(state, token->begin + 1, token->length - 1, false);
    case PLD_PROMPT_ROUND_OPEN:
        return open_bracket(state, &state->rounds, '(');
    case PLD_PROMPT_SQUARE_OPEN:
        return open_bracket(state, &state->squares, '[');
    case PLD_PROMPT_WEIGHT:
        if (state->rounds.count > 0) {
            close_bracket(state, &state->rounds, token->weight);
            return PLD_OK;
        }
        break;
    case PLD_PROMPT_ROUND_CLOSE:
        if (state->rounds.count > 0) {
            close_bracket(state, &state->rounds, bracket_factor);
            return PLD_OK;
        }
        break;
    case PLD_PROMPT_SQUARE_CLOSE:
        if (state->squares.count > 0) {
            close_bracket(state, &state->squares, square_factor);
            return PLD_OK;
        }
        break;
    case PLD_PROMPT_TEXT:
        break;
    }
    return add_text(state, token->begin, token->length);
}

/** Brackets left open count to the end: first the round ones, outermost first, then the square ones. */
static void close_all(parser *state) {
    for (size_t i = 0; i < state->rounds.count; i++) {
        for (size_t j = state->rounds.starts[i]; j < state->count; j++) {
            state->fragments[j].weight *= bracket_factor;
        }
    }
    for (size_t i = 0; i < state->squares.count; i++) {
        for (size_t j = state->squares.starts[i]; j < state->count; j++) {
            state->fragments[j].weight *= square_factor;
        }
    }
}

/** What a fragment is in the part that it comes to: of a break the word alone. */
static const char *fragment_text(const parser *state, const fragment *part, size_t *length) {
    *length = part->is_break_word ? sizeof break_word - 1 : part->length;
    return part->is_break_word ? break_word : state->text + part->begin;
}

static pld_status check_weight(const parser *state, const fragment *part) {
    size_t length = 0;
    const char *text = fragment_text(state, part, &length);
    if (length == 0 || fabs(part->weight) <= PLD_PROMPT_WEIGHT_LIMIT) {
        return PLD_OK;
    }
    return pld_fail(
        state->error, PLD_ERROR_ARGUMENT,
        "prompt: the weight of '%.*s' is %g, expected at most %d; usual weights are 0.5 to 1.5; write "
        "\\( and \\) for plain brackets",
        (int)pld_utf8_cut(text, length, 32), text, part->weight, (int)PLD_PROMPT_WEIGHT_LIMIT);
}

/** Join the fragments [begin, end) into one part. */
static pld_status add_part(const parser *state, size_t begin, size_t end, pld_prompt_parts *parts) {
    size_t length = 0;
    for (size_t i = begin; i < end; i++) {
        size_t own = 0;
        fragment_text(state, &state->fragments[i], &own);
        length += own;
    }
    char *text = pld_allocate(length + 1, 1);
    void *grown = parts->parts;
    if (!text || !pld_grow(&grown, &parts->capacity, parts->count + 1, sizeof *parts->parts)) {
        pld_free(text);
        return pld_fail_memory(state->error, length, "parts of the prompt");
    }
    parts->parts = grown;
    size_t words = 0;
    for (size_t i = begin, at = 0; i < end; i++) {
        size_t own = 0;
        const char *source = fragment_text(state, &state->fragments[i], &own);
        memcpy(text + at, source, own);
        at += own;
        words += state->fragments[i].is_break_word;
    }
    double weight = state->fragments[begin].weight;
    bool is_break =
        weight == break_weight && strcmp(text, break_word) == 0 && length == sizeof break_word - 1;
    parts->break_words += is_break ? 0 : words;
    parts->parts[parts->count++] = (pld_prompt_part){text, length, weight, is_break};
    return PLD_OK;
}

/** Turn fragments into parts; neighbours of equal weight become one. */
static pld_status join_fragments(const parser *state, pld_prompt_parts *parts) {
    for (size_t begin = 0, end = 0; begin < state->count; begin = end) {
        const double weight = state->fragments[begin].weight;
        for (end = begin; end < state->count && state->fragments[end].weight == weight; end++) {
            PLD_TRY(check_weight(state, &state->fragments[end]));
        }
        PLD_TRY(add_part(state, begin, end, parts));
    }
    return PLD_OK;
}

pld_status pld_prompt_parse(const char *text, size_t length, pld_prompt_parts *parts, pld_error *error) {
    *parts = (pld_prompt_parts){0};
    size_t clean_length = 0;
    char *clean = pld_utf8_clean(text, length, &clean_length);
    parser *state = pld_allocate(1, sizeof *state);
    pld_status status = PLD_OK;
    if (!clean || !state) {
        status = pld_fail_memory(error, length, "the prompt");
    } else {
        state->text = clean;
        state->error = error;
        for (size_t at = 0; at < clean_length && status == PLD_OK;) {
            pld_prompt_token token = pld_prompt_next_token(clean, clean_length, at);
            status = take_token(state, &token);
            at += token.length;
        }
        close_all(state);
        if (status == PLD_OK && state->count == 0) {
            status = add_fragment(state, 0, 0, false);
        }
        if (status == PLD_OK) {
            status = join_fragments(state, parts);
        }
        pld_free(state->fragments);
    }
    pld_free(state);
    pld_free(clean);
    if (status != PLD_OK) {
        pld_prompt_parts_free(parts);
    }
    return status;
}

void pld_prompt_parts_free(pld_prompt_parts *parts) {
    for (size_t i = 0; i < parts->count; i++) {
        pld_free(parts->parts[i].text);
    }
    pld_free(parts->parts);
    *parts = (pld_prompt_parts){0};
}
