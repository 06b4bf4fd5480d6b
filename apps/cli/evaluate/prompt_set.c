/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/prompt_set.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "files/whole_file.h"
#include "terminal/message.h"
#include "values/json_values.h"

enum { LONGEST_FILE = 16 << 20, MOST_PROMPTS = 100000 };

/** Where a line stands, for messages. */
typedef struct place {
    const char *file;
    size_t line;
} place;

/** The category of the JSON line, if it has one, must be that of the caption. */
static bool check_category(const place *at, const json_t *object, const pld_caption *caption) {
    const json_t *field = json_object_get(object, "category");
    const char *own = pld_world_word(PLD_WORLD_CATEGORIES, (int)caption->category);
    if (field == NULL || (json_is_string(field) && strcmp(json_string_value(field), own) == 0)) {
        return true;
    }
    message_failure("%s: line %zu: field 'category': expected \"%s\", as the caption says, found %s%s%s",
                    at->file, at->line, own, json_is_string(field) ? "\"" : "",
                    json_is_string(field) ? json_string_value(field) : "something else",
                    json_is_string(field) ? "\"" : "");
    return false;
}

static bool understand(const place *at, const char *text, scored_prompt *prompt) {
    pld_error error = {0};
    prompt->caption.struct_size = sizeof prompt->caption;
    if (pld_caption_parse(text, &prompt->caption, &error) != PLD_OK) {
        message_failure("%s: line %zu: %s", at->file, at->line, error.message);
        return false;
    }
    prompt->text = strdup(text);
    if (prompt->text == NULL) {
        message_failure("%s: out of memory", at->file);
    }
    return prompt->text != NULL;
}

static bool parse_object(const place *at, const char *line, scored_prompt *prompt) {
    json_error_t reason;
    json_t *object = json_read(line, strlen(line), &reason);
    const json_t *caption = json_object_get(object, "caption");
    bool done = false;
    if (object == NULL) {
        message_failure("%s: line %zu: %s%s", at->file, at->line,
                        json_memory_was_out() ? "" : "damaged JSON: ", reason.text);
    } else if (!json_is_string(caption)) {
        message_failure("%s: line %zu: field 'caption': expected a string", at->file, at->line);
    } else {
        done = understand(at, json_string_value(caption), prompt) &&
               check_category(at, object, &prompt->caption);
    }
    json_decref(object);
    return done;
}

/** Keep the prompt just parsed, unless its category has enough. */
static void keep(prompt_set *set, size_t each, size_t *kept, uint64_t *hash) {
    scored_prompt *prompt = &set->items[set->count];
    if (each > 0 && kept[prompt->caption.category] == each) {
        free(prompt->text);
        *prompt = (scored_prompt){0};
        return;
    }
    kept[prompt->caption.category]++;
    *hash = hash_bytes(*hash, prompt->text, strlen(prompt->text));
    set->count++;
}

bool prompt_set_parse(const char *name, char *text, size_t size, size_t each, prompt_set *set) {
    size_t lines = 1, kept[PLD_CATEGORY_COUNT] = {0};
    uint64_t hash = 0;
    place at = {name, 0};
    *set = (prompt_set){0};
    if (strlen(text) != size) {
        message_failure("%s: found a zero byte, expected text with one caption per line", name);
        return false;
    }
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    if (lines > MOST_PROMPTS) {
        message_failure("%s: expected at most %d lines, found %zu", name, (int)MOST_PROMPTS, lines);
        return false;
    }
    if ((set->items = calloc(lines + 1, sizeof *set->items)) == NULL) {
        message_failure("%s: out of memory for %zu prompts", name, lines);
        return false;
    }
    bool done = true;
    for (char *line = text; done && *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        char *next = end + (*end != '\0');
        *end = '\0';
        line += strspn(line, " \t");
        at.line++;
        if (*line != '\0') {
            scored_prompt *prompt = &set->items[set->count];
            done = *line == '{' ? parse_object(&at, line, prompt) : understand(&at, line, prompt);
            if (done) {
                keep(set, each, kept, &hash);
            } else {
                free(prompt->text);
                prompt->text = NULL;
            }
        }
        line = next;
    }
    if (done && set->count == 0) {
        message_failure("%s: found no captions, expected one per line", name);
        done = false;
    }
    hash_text(hash, set->fingerprint);
    if (!done) {
        prompt_set_free(set);
    }
    return done;
}

bool prompt_set_read(const char *path, size_t each, prompt_set *set) {
    size_t size = 0;
    *set = (prompt_set){0};
    char *text = whole_file_read_text(path, LONGEST_FILE, &size);
    bool done = text != NULL && prompt_set_parse(path, text, size, each, set);
    free(text);
    return done;
}

void prompt_set_free(prompt_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].text);
    }
    free(set->items);
    *set = (prompt_set){0};
}
