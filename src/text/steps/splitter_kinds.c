/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that a splitter can be made of; behaviour and names are those of the tokenizers library. */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "core/utf8.h"
#include "text/steps/splitter_internal.h"
#include "text/text_buffer.h"
#include "text/unicode/characters.h"

const char pld_gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static const char *const behaviors[] = {[PLD_SPLIT_REMOVED] = "Removed",
                                        [PLD_SPLIT_ISOLATED] = "Isolated",
                                        [PLD_SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                        [PLD_SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
                                        [PLD_SPLIT_CONTIGUOUS] = "Contiguous"};

static const char *const prefixes[] = {
    [PLD_PREFIX_ALWAYS] = "always", [PLD_PREFIX_FIRST] = "first", [PLD_PREFIX_NEVER] = "never"};

/** The index of a field's word among `count` ones; absent: `*index` stays. */
static pld_status read_word(const pld_json *at, const char *field, const char *const *words, size_t count,
                            size_t *index, pld_error *error) {
    const char *word = words[*index];
    pld_json found;
    PLD_TRY(pld_json_get_string(at, field, PLD_JSON_NULLABLE, &word, error));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0) {
            *index = i;
            return PLD_OK;
        }
    }
    PLD_TRY(pld_json_field(at, field, PLD_JSON_NULLABLE, &found, error));
    return pld_json_mismatch(&found, "a word that the tokenizers library knows", error);
}

static pld_status read_split(pld_splitter_step *step, const pld_json *at, pld_error *error) {
    size_t behavior = PLD_SPLIT_ISOLATED;
    PLD_TRY(read_word(at, "behavior", behaviors, sizeof behaviors / sizeof *behaviors, &behavior, error));
    step->behavior = (pld_split_behavior)behavior;
    PLD_TRY(pld_json_get_bool(at, "invert", PLD_JSON_NULLABLE, &step->invert, error));
    return pld_text_pattern_read(at, "pattern", &step->pattern, error);
}

/** A stretch that may still grow, and where finished ones go. */
typedef struct joining {
    pld_split_behavior behavior;
    bool invert;
    const char *whole; /* beginning of the text that is split */
    bool first;
    pld_word_visitor visitor;
    void *context;
    const char *pending;
    size_t length;
    bool pending_match;
} joining;

static pld_status flush(joining *state, pld_error *error) {
    const size_t length = state->length;
    state->length = 0;
    return length > 0 ? state->visitor(state->context, state->pending, length,
                                       state->first && state->pending == state->whole, error)
                      : PLD_OK;
}

/** Whether a stretch belongs to the one before it. */
static bool joins(const joining *state, bool match) {
    switch (state->behavior) {
    case PLD_SPLIT_MERGED_WITH_PREVIOUS:
        return match && !state->pending_match;
    case PLD_SPLIT_MERGED_WITH_NEXT:
        return !match && state->pending_match;
    case PLD_SPLIT_CONTIGUOUS:
        return match == state->pending_match;
    case PLD_SPLIT_REMOVED:
    case PLD_SPLIT_ISOLATED:
        break;
    }
    return false;
}

static pld_status add_stretch(void *context, const char *text, size_t length, bool match, pld_error *error) {
    joining *state = context;
    match = match != state->invert;
    if (state->behavior == PLD_SPLIT_REMOVED && match) {
        return flush(state, error);
    }
    if (state->length > 0 && joins(state, match)) {
        state->length += length;
    } else {
        PLD_TRY(flush(state, error));
        state->pending = text;
        state->length = length;
    }
    state->pending_match = match;
    return PLD_OK;
}

static pld_status split_pattern(const pld_splitter_step *step, const char *text, size_t length, bool first,
                                pld_word_visitor visitor, void *context, pld_error *error) {
    joining state = {.behavior = step->behavior,
                     .invert = step->invert,
                     .whole = text,
                     .first = first,
                     .visitor = visitor,
                     .context = context};
    PLD_TRY(pld_text_pattern_visit(step->pattern, text, length, add_stretch, &state, error));
    return flush(&state, error);
}

static pld_status split_white_space(const pld_splitter_step *step, const char *text, size_t length,
                                    bool first, pld_word_visitor visitor, void *context, pld_error *error) {
    size_t begin = 0;
    (void)step;
    for (size_t at = 0; at <= length;) {
        int32_t point = ' ';
        const size_t size = at < length ? pld_utf8_decode(text + at, length - at, &point) : 1;
        if (pld_clip_is_space(point)) {
            if (at > begin) {
                PLD_TRY(visitor(context, text + begin, at - begin, first && begin == 0, error));
            }
            begin = at + size;
        }
        at += size;
    }
    return PLD_OK;
}

static pld_status read_metaspace(pld_splitter_step *step, const pld_json *at, pld_error *error) {
    const char *mark = "\xe2\x96\x81";
    bool adds = true;
    PLD_TRY(pld_json_get_string(at, "replacement", PLD_JSON_NULLABLE, &mark, error));
    PLD_TRY(pld_json_get_bool(at, "add_prefix_space", PLD_JSON_NULLABLE, &adds, error)); /* of older files */
    size_t prefix = adds ? PLD_PREFIX_ALWAYS : PLD_PREFIX_NEVER;
    PLD_TRY(read_word(at, "prepend_scheme", prefixes, sizeof prefixes / sizeof *prefixes, &prefix, error));
    step->prefix = (pld_prefix)prefix;
    step->splits = true;
    PLD_TRY(pld_json_get_bool(at, "split", PLD_JSON_NULLABLE, &step->splits, error));
    int32_t point = 0;
    step->mark_length = strlen(mark);
    if (step->mark_length == 0 || pld_utf8_decode(mark, step->mark_length, &point) != step->mark_length) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: Metaspace: expected one character as replacement, found '%.32s'", at->file,
                        mark);
    }
    memcpy(step->mark, mark, step->mark_length);
    return PLD_OK;
}

/** The text with marks for spaces, and in front where there is to be one. */
static pld_status put_marks(const pld_splitter_step *step, const char *text, size_t length, bool first,
                            pld_text_buffer *out, pld_error *error) {
    const bool has_mark =
        text[0] == ' ' || (length >= step->mark_length && memcmp(text, step->mark, step->mark_length) == 0);
    const bool wanted = step->prefix == PLD_PREFIX_ALWAYS || (step->prefix == PLD_PREFIX_FIRST && first);
    if (wanted && !has_mark) {
        PLD_TRY(pld_text_append(out, step->mark, step->mark_length, error));
    }
    for (size_t at = 0; at < length;) {
        const char *space = memchr(text + at, ' ', length - at);
        const size_t end = space ? (size_t)(space - text) : length;
        PLD_TRY(pld_text_append(out, text + at, end - at, error));
        if (space) {
            PLD_TRY(pld_text_append(out, step->mark, step->mark_length, error));
        }
        at = end + 1;
    }
    return PLD_OK;
}

/** Cut in front of every mark. */
static pld_status cut_at_marks(const pld_splitter_step *step, const char *text, size_t length, bool first,
                               pld_word_visitor visitor, void *context, pld_error *error) {
    size_t begin = 0;
    while (begin < length) {
        const char *mark = memmem(text + begin + 1, length - begin - 1, step->mark, step->mark_length);
        const size_t end = mark ? (size_t)(mark - text) : length;
        PLD_TRY(visitor(context, text + begin, end - begin, first && begin == 0, error));
        begin = end;
    }
    return PLD_OK;
}

static pld_status split_metaspace(const pld_splitter_step *step, const char *text, size_t length, bool first,
                                  pld_word_visitor visitor, void *context, pld_error *error) {
    pld_text_buffer marked = {0};
    pld_status status = put_marks(step, text, length, first, &marked, error);
    if (status == PLD_OK) {
        status = step->splits ? cut_at_marks(step, marked.data, marked.used, first, visitor, context, error)
                              : visitor(context, marked.data, marked.used, first, error);
    }
    pld_text_buffer_free(&marked);
    return status;
}

static pld_status read_byte_level(pld_splitter_step *step, const pld_json *at, pld_error *error) {
    bool adds = true;
    bool use_pattern = true;
    PLD_TRY(pld_json_get_bool(at, "add_prefix_space", PLD_JSON_NULLABLE, &adds, error));
    PLD_TRY(pld_json_get_bool(at, "use_regex", PLD_JSON_NULLABLE, &use_pattern, error));
    step->prefix = adds ? PLD_PREFIX_ALWAYS : PLD_PREFIX_NEVER;
    step->behavior = PLD_SPLIT_ISOLATED;
    return use_pattern ? pld_text_pattern_open(pld_gpt2_pattern, strlen(pld_gpt2_pattern), false, at->file,
                                               &step->pattern, error)
                       : PLD_OK;
}

static pld_status split_byte_level(const pld_splitter_step *step, const char *text, size_t length, bool first,
                                   pld_word_visitor visitor, void *context, pld_error *error) {
    pld_text_buffer spaced = {0};
    pld_status status = PLD_OK;
    if (step->prefix == PLD_PREFIX_ALWAYS && text[0] != ' ') {
        status = pld_text_append(&spaced, " ", 1, error);
        if (status == PLD_OK) {
            status = pld_text_append(&spaced, text, length, error);
        }
        text = spaced.data;
        length = spaced.used;
    }
    if (status == PLD_OK) {
        status = step->pattern ? split_pattern(step, text, length, first, visitor, context, error)
                               : visitor(context, text, length, first, error);
    }
    pld_text_buffer_free(&spaced);
    return status;
}

static const pld_splitter_kind kinds[] = {
    {"Split", read_split, split_pattern},
    {"WhitespaceSplit", NULL, split_white_space},
    {"Metaspace", read_metaspace, split_metaspace},
    {"ByteLevel", read_byte_level, split_byte_level},
};

const pld_splitter_kind *pld_splitter_kinds(size_t *count) {
    *count = sizeof kinds / sizeof *kinds;
    return kinds;
}
