/* SPDX-License-Identifier: Apache-2.0 */
#include "io/json/read.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "io/files/placeholder.h"
#include "io/files/text_file.h"

/** Where a scan of the raw text stands. */
typedef struct scan {
    const char *name;
    size_t line;
    size_t depth;
    size_t values; /* an upper bound: every comma and every bracket begins at most one */
    size_t most_values;
    bool in_string;
    size_t token, longest; /* bytes of the word or string at this place, and of the longest so far */
} scan;

/** Count one byte that lies outside strings; `rest` bytes follow `text`. */
static pld_status scan_structure(scan *at, const char *text, size_t rest, pld_error *error) {
    switch (*text) {
    case '[':
    case '{':
        at->depth++;
        at->values++;
        break;
    case ']':
    case '}':
        at->depth -= at->depth > 0;
        break;
    case ',':
        at->values++;
        break;
    case 'N':
    case 'I':
        if ((rest >= 3 && memcmp(text, "NaN", 3) == 0) || (rest >= 8 && memcmp(text, "Infinity", 8) == 0)) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: line %zu: found %s, which JSON does not have; write a finite number",
                            at->name, at->line, *text == 'N' ? "NaN" : "Infinity");
        }
        break;
    default:
        break;
    }
    if (at->depth > PLD_JSON_DEPTH) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: line %zu: expected at most %d brackets nested in each other, found more; no "
                        "honest file needs that",
                        at->name, at->line, (int)PLD_JSON_DEPTH);
    }
    if (at->values > at->most_values) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: line %zu: expected at most %zu values in one document, found more", at->name,
                        at->line, at->most_values);
    }
    return PLD_OK;
}

static void count_token(scan *at, char c) {
    const bool between = !at->in_string && strchr(" \t\r\n,:[]{}", c) != NULL;
    at->token = between ? 0 : at->token + 1;
    at->longest = at->token > at->longest ? at->token : at->longest;
}

/** Bound depth and number of values before the parser allocates anything for them. `*longest`: bytes of the
 * longest token, a backslash with what follows counted as one or two. */
static pld_status check_bounds(const char *text, size_t length, size_t most_values, const char *name,
                               size_t *longest, pld_error *error) {
    scan at = {.name = name, .line = 1, .most_values = most_values};
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        at.line += c == '\n';
        count_token(&at, c);
        if (c == '"') {
            at.in_string = !at.in_string;
        } else if (!at.in_string) {
            PLD_TRY(scan_structure(&at, text + i, length - i, error));
        } else if (c == '\\') {
            i++; /* the escaped byte cannot end the string */
            at.token++;
        }
    }
    *longest = at.longest;
    return PLD_OK;
}

/** The text ["xxx…",\nTEXT] piece by piece. jansson collects each token in a buffer that grows, and where it
 * cannot grow a byte is dropped without a word. The first token here is longer than any of TEXT: if all of it
 * has come through, the buffer was large enough for the rest. */
typedef struct wrapped_text {
    const char *text;
    size_t length, padding;
    size_t at;
} wrapped_text;

/** How long the first token is. A buffer that is doubled when one byte of it is left must not have to grow for the quote at
 * its end, behind which jansson would look for the one that was dropped. */
static size_t padding_for(size_t longest) {
    const size_t padding = longest + 1, with_quotes = padding + 2;
    return (with_quotes & (with_quotes - 1)) == 0 ? padding + 1 : padding;
}

static char wrapped_byte(const wrapped_text *from, size_t at) {
    static const char begin[] = "[\"", middle[] = "\",\n";
    const size_t text = sizeof begin - 1 + from->padding + sizeof middle - 1;
    if (at < sizeof begin - 1) {
        return begin[at];
    }
    if (at < sizeof begin - 1 + from->padding) {
        return 'x';
    }
    if (at < text) {
        return middle[at - (sizeof begin - 1) - from->padding];
    }
    if (at < text + from->length) {
        return from->text[at - text];
    }
    return ']';
}

static size_t feed(void *buffer, size_t size, void *data) {
    wrapped_text *from = data;
    const size_t whole = from->padding + from->length + sizeof "[\"\",\n]" - 1;
    size_t count = 0;
    for (; count < size && from->at < whole; count++, from->at++) {
        ((char *)buffer)[count] = wrapped_byte(from, from->at);
    }
    return count;
}

enum { PARSE_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY };

/** The document, whole; NULL when it is no JSON or memory is out. */
static json_t *parse_whole(const char *text, size_t length, size_t longest) {
    wrapped_text from = {.text = text, .length = length, .padding = padding_for(longest)};
    json_t *list = json_load_callback(feed, &from, PARSE_FLAGS, NULL);
    json_t *document = NULL;
    if (json_array_size(list) == 2 && json_string_length(json_array_get(list, 0)) == from.padding) {
        document = json_incref(json_array_get(list, 1));
    }
    json_decref(list);
    return document;
}

/** What is wrong with a text that parse_whole has not taken. */
static pld_status explain(const char *text, size_t length, const char *name, pld_error *error) {
    json_error_t detail;
    json_t *document = json_loadb(text, length, PARSE_FLAGS, &detail);
    const bool no_memory =
        document || !detail.text[0] || json_error_code(&detail) == json_error_out_of_memory;
    json_decref(document);
    if (no_memory) {
        return pld_fail_memory(error, length, name);
    }
    const char *placeholder = pld_recognise_placeholder(text, length);
    if (placeholder) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: expected JSON, found %s", name, placeholder);
    }
    /* jansson's own words for this are about its flags. */
    const bool is_nul = json_error_code(&detail) == json_error_null_character;
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: line %d, column %d: %s%s", name, detail.line, detail.column,
                    is_nul ? "expected text, found the character \\u0000 in it" : "not valid JSON: ",
                    is_nul ? "" : detail.text);
}

pld_status pld_json_parse(const char *text, size_t length, const char *name, json_t **document,
                          pld_error *error) {
    return pld_json_parse_bounded(text, length, PLD_JSON_VALUES, name, document, error);
}

pld_status pld_json_parse_bounded(const char *text, size_t length, size_t most_values, const char *name,
                                  json_t **document, pld_error *error) {
    *document = NULL;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark of some editors */
        text += 3;
        length -= 3;
    }
    size_t longest = 0;
    PLD_TRY(check_bounds(text, length, most_values, name, &longest, error));
    pld_kept_locale kept;
    pld_locale_set_c(&kept);
    *document = parse_whole(text, length, longest);
    const pld_status status = *document ? PLD_OK : explain(text, length, name, error);
    pld_locale_restore(&kept);
    return status;
}

pld_status pld_json_load(const char *path, size_t max_bytes, json_t **document, pld_error *error) {
    size_t length = 0;
    char *text = NULL;
    *document = NULL;
    PLD_TRY(pld_text_file_read(path, max_bytes ? max_bytes : PLD_JSON_FILE_BYTES, &text, &length, error));
    pld_status status = pld_json_parse(text, length, path, document, error);
    pld_free(text);
    return status;
}
