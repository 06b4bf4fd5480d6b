/* SPDX-License-Identifier: Apache-2.0 */
/* Prompt lines, lines from "Negative prompt: " on, and a last line of "Key: value" with commas between, where
 * a value that holds commas stands in quotes as a JSON string (modules/infotext_utils.py of that program). */
#include "pipeline/metadata/a1111_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "io/json/read.h"
#include "pipeline/metadata/picture.h"

enum { FEWEST_FIELDS = 3, LONGEST_KEY = 64, LONGEST_NAME = 64, LONGEST_SHOWN = 64 };

/** What is made of the text. */
typedef struct reader {
    pld_json_builder *builder;
    json_t *top, *picture, *left_out;
} reader;

/** One field of the last line. */
typedef struct field {
    char key[LONGEST_KEY];
    json_t *value; /* a text, to be released */
} field;

/** How the value of one field is taken over; false: it cannot be. */
typedef bool (*taker)(reader *to, const char *name, const char *value);

/** A whole number with its sign, no more. */
static bool parse_integer(const char *text, int64_t *number) {
    const bool negative = *text == '-';
    uint64_t size = 0;
    const char *end = NULL;
    if (!pld_parse_natural(text + (negative || *text == '+'), INT64_MAX, &size, &end) || *end) {
        return false;
    }
    *number = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool take_integer(reader *to, const char *name, const char *value) {
    int64_t number = 0;
    if (!parse_integer(value, &number)) {
        return false;
    }
    pld_json_put(to->builder, to->picture, name, json_integer(number));
    return true;
}

static bool take_number(reader *to, const char *name, const char *value) {
    const char *end = NULL;
    const double number = pld_parse_real(value, &end);
    if (end == value || *end || !isfinite(number) || strspn(value, "0123456789.eE+-") != strlen(value)) {
        return false;
    }
    pld_json_put(to->builder, to->picture, name, json_real(number));
    return true;
}

static bool take_text(reader *to, const char *name, const char *value) {
    pld_json_put(to->builder, to->picture, name, json_string(value));
    return true;
}

static bool take_size(reader *to, const char *name, const char *value) {
    enum { LONGEST_SIDE = 16384 };
    uint64_t width = 0, height = 0;
    const char *end = NULL;
    (void)name;
    if (!pld_parse_natural(value, LONGEST_SIDE, &width, &end) || *end != 'x' ||
        !pld_parse_natural(end + 1, LONGEST_SIDE, &height, &end) || *end || width == 0 || height == 0) {
        return false;
    }
    pld_json_put(to->builder, to->picture, "width", json_integer((json_int_t)width));
    pld_json_put(to->builder, to->picture, "height", json_integer((json_int_t)height));
    return true;
}

/** The name of a file without folders; A1111 leaves out its ending. */
static bool take_model(reader *to, const char *name, const char *value) {
    const char *slash = strrchr(value, '/'), *backslash = strrchr(value, '\\');
    const char *base = slash && slash > backslash ? slash + 1 : backslash ? backslash + 1 : value;
    if (!base[0]) {
        return false;
    }
    pld_json_put(to->builder, to->top, name, json_string(base));
    return true;
}

static bool take_schedule(reader *to, const char *name, const char *value) {
    const char *own = pld_own_name(PLD_LIST_SCHEDULERS, value);
    return own && (!own[0] || take_text(to, name, own));
}

/** A sampler, in older pictures with its schedule behind it: "DPM++ 2M Karras". */
static bool take_sampler(reader *to, const char *name, const char *value) {
    char sampler[LONGEST_NAME];
    const char *own = pld_own_name(PLD_LIST_SAMPLERS, value), *schedule = strrchr(value, ' ');
    if (!own && schedule && strlen(value) < sizeof sampler) {
        pld_print_text(sampler, sizeof sampler, "%.*s", (int)(schedule - value), value);
        own = pld_own_name(PLD_LIST_SAMPLERS, sampler);
        if (!own || !take_schedule(to, "scheduler", schedule + 1)) {
            return false;
        }
    }
    return own && take_text(to, name, own);
}

/** Said of the file and the program, not of the picture. */
static bool pass_over(reader *to, const char *name, const char *value) {
    (void)to;
    (void)name;
    (void)value;
    return true;
}

static const struct {
    const char *key, *name;
    taker take;
} fields[] = {
    {"Steps", "steps", take_integer},
    {"Sampler", "sampling_method", take_sampler},
    {"Schedule type", "scheduler", take_schedule},
    {"CFG scale", "cfg_scale", take_number},
    {"Seed", "seed", take_integer},
    {"Size", NULL, take_size},
    {"Model", "model", take_model},
    {"PLADIS scale", "pladis", take_number},
    {"PLADIS alpha", "pladis_alpha", take_number},
    {"PLADIS blocks", "pladis_blocks", take_text},
    {"PLADIS start", "pladis_start", take_number},
    {"PLADIS end", "pladis_end", take_number},
    {"Model hash", NULL, pass_over},
    {"VAE hash", NULL, pass_over},
    {"Lora hashes", NULL, pass_over},
    {"TI hashes", NULL, pass_over},
    {"Hashes", NULL, pass_over},
    {"Version", NULL, pass_over},
    {"App", NULL, pass_over},
    {"RNG", NULL, pass_over},
};

static bool is_key_letter(char c) {
    const char small = pld_lower(c);
    return pld_is_lower(small) || pld_is_digit(c) || (c && strchr("_ -/", c)) || (unsigned char)c >= 0x80;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/** The text of a value, without quotes where it has them; NULL: out of memory. */
static json_t *copy_value(const char *value, size_t length) {
    json_t *list = NULL, *made = NULL;
    pld_error error = {0};
    const bool quoted = value[0] == '"';
    char *text = quoted ? pld_format("[%.*s]", (int)length, value) : pld_copy_bytes(value, length);
    if (text && quoted) {
        const pld_status status = pld_json_parse_bounded(text, strlen(text), 2, "value", &list, &error);
        const json_t *inside = json_array_get(list, 0);
        pld_free(text);
        text = status == PLD_ERROR_MEMORY ? NULL : pld_copy_bytes(value, length);
        made = text && json_is_string(inside) ? json_incref((json_t *)(uintptr_t)inside) : NULL;
    }
    if (text && !made) {
        made = pld_metadata_json_text(text);
    }
    json_decref(list);
    pld_free(text);
    return made;
}

/** Length of a value: up to the comma behind it, or the end. */
static size_t value_length(const char *value) {
    size_t length = 0;
    if (value[0] == '"') {
        for (length = 1; value[length] != '\0' && value[length] != '"'; length++) {
            length += value[length] == '\\' && value[length + 1] != '\0';
        }
        length += value[length] == '"';
    }
    return length + strcspn(value + length, ",");
}

/** The field at `*at`, which moves behind its comma. False at the end, or out of memory. What is no field, as
 * a part of a value without quotes, is passed over. */
static bool next_field(pld_json_builder *builder, const char **at, field *found) {
    while (**at) {
        const char *key = *at + strspn(*at, " ,");
        size_t length = 0;
        while (is_key_letter(key[length])) {
            length++;
        }
        if (length == 0 || length >= LONGEST_KEY || key[length] != ':') {
            *at = key + length + strcspn(key + length, ",");
            *at += **at == ',';
            continue;
        }
        const char *value = key + length + 1 + strspn(key + length + 1, " ");
        size_t value_size = value_length(value);
        *at = value + value_size + (value[value_size] == ',');
        while (value_size > 0 && value[value_size - 1] == ' ') {
            value_size--;
        }
        pld_print_text(found->key, sizeof found->key, "%.*s", (int)length, key);
        found->value = copy_value(value, value_size);
        builder->failed = builder->failed || !found->value;
        return found->value;
    }
    return false;
}

static size_t count_fields(pld_json_builder *builder, const char *line) {
    size_t count = 0;
    field found;
    for (const char *at = line; next_field(builder, &at, &found); count++) {
        json_decref(found.value);
    }
    return count;
}

/** Take one field over, or say that it is left out. */
static void take_field(reader *to, const field *found) {
    bool taken = false;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].key, found->key) == 0) {
            taken = fields[i].take(to, fields[i].name, json_string_value(found->value));
        }
    }
    if (!taken) {
        char shown[LONGEST_KEY + LONGEST_SHOWN];
        pld_print_text(shown, sizeof shown, "%s %s", found->key, json_string_value(found->value));
        pld_json_append(to->builder, to->left_out, pld_metadata_json_text(shown));
    }
}

/** Prompt and negative prompt from what stands before the last line. */
static void take_prompts(reader *to, const char *text, size_t length) {
    static const char negative[] = "Negative prompt:";
    const char *end = text + length, *begin = NULL;
    for (const char *line = text; line < end && !begin;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        begin =
            (size_t)(end - line) >= sizeof negative - 1 && memcmp(line, negative, sizeof negative - 1) == 0
                ? line
                : NULL;
        line = newline ? newline + 1 : end;
    }
    const char *prompt_end = begin ? begin : end;
    while (prompt_end > text && is_blank(prompt_end[-1])) {
        prompt_end--;
    }
    pld_json_put(to->builder, to->picture, "prompt", json_stringn(text, (size_t)(prompt_end - text)));
    if (begin) {
        begin += sizeof negative - 1;
        begin += begin < end && *begin == ' ';
        while (end > begin && is_blank(end[-1])) {
            end--;
        }
        pld_json_put(to->builder, to->picture, "negative_prompt", json_stringn(begin, (size_t)(end - begin)));
    }
}

json_t *pld_metadata_read_a1111(pld_json_builder *builder, const char *text, json_t *left_out) {
    size_t length = strlen(text);
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    size_t last = length;
    while (last > 0 && text[last - 1] != '\n') {
        last--;
    }
    char *line = pld_copy_bytes(text + last, length - last);
    if (!line || count_fields(builder, line) < FEWEST_FIELDS) {
        builder->failed = builder->failed || !line;
        pld_free(line);
        return NULL;
    }
    reader to = {.builder = builder, .top = json_object(), .picture = json_object(), .left_out = left_out};
    json_t *pictures = json_array();
    take_prompts(&to, text, last);
    field found;
    for (const char *at = line; next_field(builder, &at, &found);) {
        take_field(&to, &found);
        json_decref(found.value);
    }
    pld_json_append(builder, pictures, to.picture);
    pld_json_put(builder, to.top, "pictures", pictures);
    pld_free(line);
    return pld_json_finish(builder, to.top);
}
