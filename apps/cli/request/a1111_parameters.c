/* SPDX-License-Identifier: Apache-2.0 */
/* Prompt lines, lines from "Negative prompt: " on, and a last line of "Key: value" with commas between, where
 * a value that holds commas stands in quotes as a JSON string (modules/infotext_utils.py of that program). */
#include "request/a1111_parameters.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/options.h>

#include "values/ascii.h"
#include "values/json_values.h"
#include "values/number.h"

enum { FEWEST_FIELDS = 3, LONGEST_KEY = 64, LONGEST_NAME = 64, LONGEST_SHOWN = 64 };

/** What is made of the text. */
typedef struct reader {
    json_t *top, *picture, *left_out;
} reader;

/** One field of the last line. */
typedef struct field {
    char key[LONGEST_KEY];
    json_t *value; /* a text, to be released */
} field;

/** How the value of one field is taken over; false: it cannot be. */
typedef bool (*taker)(reader *to, const char *name, const char *value);

static bool take_integer(reader *to, const char *name, const char *value) {
    int64_t number = 0;
    return number_integer(value, &number) &&
           json_object_set_new(to->picture, name, json_integer(number)) == 0;
}

static bool take_number(reader *to, const char *name, const char *value) {
    double number = 0;
    return number_real(value, &number) && json_object_set_new(to->picture, name, json_real(number)) == 0;
}

static bool take_text(reader *to, const char *name, const char *value) {
    return json_object_set_new(to->picture, name, json_string(value)) == 0;
}

static bool take_size(reader *to, const char *name, const char *value) {
    int64_t pair[2];
    (void)name;
    return number_pair(value, 'x', 1, 16384, pair) &&
           json_object_set_new(to->picture, "width", json_integer(pair[0])) == 0 &&
           json_object_set_new(to->picture, "height", json_integer(pair[1])) == 0;
}

/** The name of a file without folders; A1111 leaves out its ending. */
static bool take_model(reader *to, const char *name, const char *value) {
    const char *slash = strrchr(value, '/'), *backslash = strrchr(value, '\\');
    const char *base = slash != NULL && slash > backslash ? slash + 1
                       : backslash != NULL                ? backslash + 1
                                                          : value;
    return base[0] != '\0' && json_object_set_new(to->top, name, json_string(base)) == 0;
}

static bool take_schedule(reader *to, const char *name, const char *value) {
    const char *own = pld_own_name(PLD_LIST_SCHEDULERS, value);
    return own != NULL && (own[0] == '\0' || take_text(to, name, own));
}

/** A sampler, in older pictures with its schedule behind it: "DPM++ 2M Karras". */
static bool take_sampler(reader *to, const char *name, const char *value) {
    char sampler[LONGEST_NAME];
    const char *own = pld_own_name(PLD_LIST_SAMPLERS, value), *schedule = strrchr(value, ' ');
    if (own == NULL && schedule != NULL && strlen(value) < sizeof sampler) {
        snprintf(sampler, sizeof sampler, "%.*s", (int)(schedule - value), value);
        own = pld_own_name(PLD_LIST_SAMPLERS, sampler);
        if (own == NULL || !take_schedule(to, "scheduler", schedule + 1)) {
            return false;
        }
    }
    return own != NULL && take_text(to, name, own);
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
    return ascii_is_alphanumeric(c) || (c != '\0' && strchr("_ -/", c) != NULL) || (unsigned char)c >= 0x80;
}

/** The text of a value, without quotes where it has them; NULL: out of memory. */
static json_t *copy_value(const char *value, size_t length) {
    json_error_t problem;
    json_t *quoted = value[0] == '"' ? json_read_text(value, length, &problem) : NULL;
    return quoted != NULL ? quoted : json_stringn(value, length);
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
static bool next_field(const char **at, field *found) {
    while (**at != '\0') {
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
        snprintf(found->key, sizeof found->key, "%.*s", (int)length, key);
        found->value = copy_value(value, value_size);
        return found->value != NULL;
    }
    return false;
}

static size_t count_fields(const char *line) {
    size_t count = 0;
    field found;
    for (const char *at = line; next_field(&at, &found); count++) {
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
        snprintf(shown, sizeof shown, "%s %s", found->key, json_string_value(found->value));
        json_array_append_new(to->left_out, json_text(shown));
    }
}

/** Prompt and negative prompt from what stands before the last line. */
static void take_prompts(reader *to, const char *text, size_t length) {
    static const char negative[] = "Negative prompt:";
    const char *end = text + length, *begin = NULL;
    for (const char *line = text; line < end && begin == NULL;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        begin =
            (size_t)(end - line) >= sizeof negative - 1 && memcmp(line, negative, sizeof negative - 1) == 0
                ? line
                : NULL;
        line = newline != NULL ? newline + 1 : end;
    }
    const char *prompt_end = begin != NULL ? begin : end;
    while (prompt_end > text && ascii_is_blank(prompt_end[-1])) {
        prompt_end--;
    }
    json_object_set_new(to->picture, "prompt", json_stringn(text, (size_t)(prompt_end - text)));
    if (begin != NULL) {
        begin += sizeof negative - 1;
        begin += begin < end && *begin == ' ';
        while (end > begin && ascii_is_blank(end[-1])) {
            end--;
        }
        json_object_set_new(to->picture, "negative_prompt", json_stringn(begin, (size_t)(end - begin)));
    }
}

json_t *a1111_parameters_read(const char *text, json_t *left_out) {
    size_t length = strlen(text);
    while (length > 0 && ascii_is_blank(text[length - 1])) {
        length--;
    }
    size_t last = length;
    while (last > 0 && text[last - 1] != '\n') {
        last--;
    }
    json_t *copy = json_stringn(text + last, length - last);
    const char *line = json_string_value(copy);
    if (line == NULL || count_fields(line) < FEWEST_FIELDS) {
        json_decref(copy);
        return NULL;
    }
    reader to = {.picture = json_object(), .left_out = left_out};
    to.top = json_pack("{s:[O]}", "pictures", to.picture);
    take_prompts(&to, text, last);
    field found;
    for (const char *at = line; next_field(&at, &found);) {
        take_field(&to, &found);
        json_decref(found.value);
    }
    json_decref(to.picture);
    json_decref(copy);
    return to.top;
}
