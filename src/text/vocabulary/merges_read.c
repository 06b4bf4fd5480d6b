/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as files state them. */
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "text/vocabulary/merges.h"

/** The id of one piece of a rule; `what` says which in the message. */
static pld_status rule_piece(const pld_piece_finder *finder, const char *piece, size_t length,
                             const char *what, const char *name, size_t number, int32_t *id,
                             pld_error *error) {
    *id = finder->find(finder->vocabulary, piece, length);
    if (*id >= 0) {
        return PLD_OK;
    }
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: merge %zu: expected %s to be in the vocabulary, found '%.*s'; merges and vocabulary must "
        "come from the same model",
        name, number, what, (int)(length < 64 ? length : 64), piece);
}

enum { SHORT_PIECE = 256 };

pld_status pld_merges_add_text(pld_merges *merges, const pld_piece_finder *finder, const pld_merge_text *rule,
                               const char *name, pld_error *error) {
    pld_merge merge = {0};
    char buffer[SHORT_PIECE];
    PLD_TRY(rule_piece(finder, rule->left, rule->left_length, "the first part", name, rule->number,
                       &merge.left, error));
    PLD_TRY(rule_piece(finder, rule->right, rule->right_length, "the second part", name, rule->number,
                       &merge.right, error));
    const size_t length = rule->left_length + rule->right_length;
    char *joined = length <= sizeof buffer ? buffer : pld_allocate(length, 1);
    if (!joined) {
        return pld_fail_memory(error, length, name);
    }
    memcpy(joined, rule->left, rule->left_length);
    memcpy(joined + rule->left_length, rule->right, rule->right_length);
    const pld_status status = rule_piece(finder, joined, length, "the piece that the two parts make together",
                                         name, rule->number, &merge.merged, error);
    if (joined != buffer) {
        pld_free(joined);
    }
    if (status == PLD_OK) {
        pld_merges_add(merges, merge);
    }
    return status;
}

bool pld_merge_text_split(const char *line, size_t length, pld_merge_text *rule) {
    const char *space = memchr(line, ' ', length);
    if (!space || space == line) {
        return false;
    }
    size_t rest = length - (size_t)(space - line) - 1;
    *rule = (pld_merge_text){.left = line,
                             .left_length = (size_t)(space - line),
                             .right = space + 1,
                             .right_length = rest,
                             .number = rule->number};
    return rest > 0 && !memchr(space + 1, ' ', rest);
}

pld_status pld_merge_text_refuse(const char *name, size_t number, const char *found, size_t length,
                                 pld_error *error) {
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: merge %zu: expected two pieces with one space between them, found '%.*s'; download "
                    "it again from the model's source",
                    name, number, (int)(length < 64 ? length : 64), found);
}

pld_status pld_merges_read_text(pld_merges *merges, const pld_piece_finder *finder, const char *text,
                                size_t size, const char *name, pld_error *error) {
    size_t lines = 1;
    for (size_t i = 0; i < size;) {
        int32_t code_point = 0;
        lines += text[i] == '\n';
        size_t step = pld_utf8_decode(text + i, size - i, &code_point);
        if (code_point < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: line %zu: expected UTF-8 text, found byte 0x%02x",
                            name, lines, (unsigned)(unsigned char)text[i]);
        }
        i += step;
    }
    if (size == 0) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: expected merges, one per line, found an empty file; copy it from the model's source", name);
    }
    PLD_TRY(pld_merges_reserve(merges, lines, name, error));
    pld_merge_text rule = {0};
    for (size_t at = 0; at < size;) {
        const char *line = text + at;
        const char *newline = memchr(line, '\n', size - at);
        size_t length = newline ? (size_t)(newline - line) : size - at;
        at += length + 1;
        length -= length > 0 && line[length - 1] == '\r';
        if (length >= 8 && memcmp(line, "#version", 8) == 0) {
            continue;
        }
        rule.number++;
        if (!pld_merge_text_split(line, length, &rule)) {
            return pld_merge_text_refuse(name, rule.number, line, length, error);
        }
        PLD_TRY(pld_merges_add_text(merges, finder, &rule, name, error));
    }
    return PLD_OK;
}

pld_status pld_merges_read_list(pld_merges *merges, const pld_piece_finder *finder, const pld_json *list,
                                pld_error *error) {
    size_t count = json_array_size(list->value);
    PLD_TRY(pld_merges_reserve(merges, count, list->file, error));
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list->value, i);
        const json_t *left = json_array_get(entry, 0);
        const json_t *right = json_array_get(entry, 1);
        pld_merge_text rule = {.number = i + 1};
        bool good = false;
        if (json_is_string(entry)) {
            good = pld_merge_text_split(json_string_value(entry), json_string_length(entry), &rule);
        } else if (json_array_size(entry) == 2 && json_is_string(left) && json_is_string(right)) {
            rule.left = json_string_value(left);
            rule.left_length = json_string_length(left);
            rule.right = json_string_value(right);
            rule.right_length = json_string_length(right);
            good = rule.left_length > 0 && rule.right_length > 0;
        }
        if (!good) {
            const char *found = json_is_string(entry) ? json_string_value(entry) : "something else";
            return pld_merge_text_refuse(list->file, i + 1, found, strlen(found), error);
        }
        PLD_TRY(pld_merges_add_text(merges, finder, &rule, list->file, error));
    }
    return PLD_OK;
}
