/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/metadata/picture.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "core/text.h"
#include "pipeline/options/value.h"

static const pld_drawn_picture defaults = {.struct_size = sizeof defaults, .seed = -1, .pladis_scale = NAN};

void pld_drawn_picture_init(pld_drawn_picture *picture, size_t struct_size) {
    if (picture) {
        pld_sized_init(picture, struct_size, &defaults, sizeof defaults);
    }
}

pld_status pld_drawn_read(const pld_drawn_picture *given, pld_drawn_picture *picture, pld_error *error) {
    PLD_NEED(given);
    PLD_TRY(PLD_SIZED_READ(pld_drawn_picture, given, &defaults, picture, error));
    PLD_NEED(picture->options);
    PLD_NEED(picture->report);
    return PLD_OK;
}

const pld_option_value *pld_drawn_value(const pld_drawn_picture *picture, const char *name) {
    return pld_options_get(picture->options, NULL, name);
}

const char *pld_drawn_prompt(const pld_drawn_picture *picture) {
    const char *asked = pld_drawn_value(picture, "prompt")->text;
    return picture->prompt ? picture->prompt : asked ? asked : "";
}

int64_t pld_drawn_seed(const pld_drawn_picture *picture) {
    return picture->seed >= 0 ? picture->seed : pld_drawn_value(picture, "seed")->integer;
}

double pld_drawn_pladis_scale(const pld_drawn_picture *picture) {
    return isnan(picture->pladis_scale) ? pld_drawn_value(picture, "pladis")->number : picture->pladis_scale;
}

json_t *pld_metadata_json_text(const char *text) {
    char *repaired = NULL;
    if (!text) {
        return json_null();
    }
    if (pld_utf8_repair(text, strlen(text), &repaired, NULL, NULL) != PLD_OK) {
        return NULL;
    }
    json_t *value = json_string(repaired);
    pld_string_free(&repaired);
    return value;
}

char *pld_metadata_base_name(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    return pld_copy_bytes(path + start, length - start);
}

/* ---- values ---- */

static json_t *number_json(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/** A file's path, or its name where it is passed on. */
static json_t *file_json(const char *path, bool whole) {
    char *name = whole ? NULL : pld_metadata_base_name(path);
    json_t *value = whole ? pld_metadata_json_text(path) : name ? pld_metadata_json_text(name) : NULL;
    pld_free(name);
    return value;
}

/** A LoRA as its option takes it, FILE:WEIGHT. */
static json_t *lora_json(const char *text, bool whole) {
    size_t length = 0;
    double weight = 1;
    char number[PLD_NUMBER_TEXT];
    if (pld_lora_parse(text, &length, &weight, NULL) != PLD_OK) {
        return pld_metadata_json_text(text);
    }
    char *path = pld_copy_bytes(text, length);
    char *name = path && !whole ? pld_metadata_base_name(path) : NULL;
    pld_print_shortest(weight, number);
    char *joined = path && (whole || name) ? pld_format("%s:%s", whole ? path : name, number) : NULL;
    json_t *value = joined ? pld_metadata_json_text(joined) : NULL;
    pld_free(path);
    pld_free(name);
    pld_free(joined);
    return value;
}

static json_t *list_json(pld_json_builder *builder, const pld_option *option, const pld_option_value *value,
                         bool whole) {
    json_t *list = json_array();
    for (size_t i = 0; i < value->count; i++) {
        pld_json_append(builder, list,
                        !value->texts     ? number_json(value->numbers[i])
                        : option->is_file ? lora_json(value->texts[i], whole)
                                          : pld_metadata_json_text(value->texts[i]));
    }
    return list;
}

static json_t *pair_json(const pld_option *option, const pld_option_value *value) {
    char text[64];
    pld_print_text(text, sizeof text, "%lld%c%lld", (long long)value->pair[0], option->separator,
                   (long long)value->pair[1]);
    return json_string(text);
}

/** The value of an option; null where it has none. */
static json_t *value_json(pld_json_builder *builder, const pld_option *option, const pld_option_value *value,
                          bool whole) {
    switch (option->type) {
    case PLD_OPTION_FLAG:
        return json_boolean(value->flag);
    case PLD_OPTION_INTEGER:
        return value->is_set || option->fallback ? json_integer(value->integer) : json_null();
    case PLD_OPTION_NUMBER:
        return number_json(value->number);
    case PLD_OPTION_PAIR:
        return value->is_set ? pair_json(option, value) : json_null();
    case PLD_OPTION_NUMBERS:
        return value->count > 0 ? list_json(builder, option, value, whole) : json_null();
    case PLD_OPTION_TEXTS:
        return list_json(builder, option, value, whole);
    default:
        return option->is_file && value->text ? file_json(value->text, whole)
                                              : pld_metadata_json_text(value->text);
    }
}

/** What the picture has of its own; NULL: nothing. */
static json_t *own_json(const pld_option *option, const pld_drawn_picture *picture) {
    return strcmp(option->name, "prompt") == 0   ? pld_metadata_json_text(pld_drawn_prompt(picture))
           : strcmp(option->name, "seed") == 0   ? json_integer(pld_drawn_seed(picture))
           : strcmp(option->name, "pladis") == 0 ? number_json(pld_drawn_pladis_scale(picture))
                                                 : NULL;
}

static bool is_own(const pld_option *option) {
    return strcmp(option->name, "prompt") == 0 || strcmp(option->name, "seed") == 0 ||
           strcmp(option->name, "pladis") == 0;
}

/** Said of a picture that begins at another one alone. */
static bool is_of_init_picture(const pld_option *option) {
    return strcmp(option->name, "init-img") == 0 || strcmp(option->name, "strength") == 0 ||
           strcmp(option->name, "mask") == 0;
}

/** The name of a field: that of its option with '_' for '-'. */
static void field_name(const pld_option *option, char *name, size_t size) {
    pld_print_text(name, size, "%s", option->name);
    for (char *at = name; *at; at++) {
        if (*at == '-') {
            *at = '_';
        }
    }
}

json_t *pld_metadata_json(pld_json_builder *builder, const pld_drawn_picture *picture, bool whole_paths) {
    pld_options *in_force = NULL;
    if (pld_options_copy(picture->options, &in_force, NULL) != PLD_OK ||
        pld_options_take_report(in_force, picture->report, NULL) != PLD_OK) {
        pld_options_destroy(&in_force);
        return NULL;
    }
    json_t *object = json_object();
    const bool from_picture = pld_drawn_value(picture, "init-img")->text != NULL;
    for (size_t i = 0; pld_option_at(i); i++) {
        const pld_option *option = pld_option_at(i);
        char name[64];
        if (!option->of_picture || !pld_option_belongs(option, "generate") ||
            (is_of_init_picture(option) && !from_picture)) {
            continue;
        }
        field_name(option, name, sizeof name);
        pld_json_put(builder, object, name,
                     is_own(option)
                         ? own_json(option, picture)
                         : value_json(builder, option, pld_options_value(in_force, option), whole_paths));
    }
    pld_options_destroy(&in_force);
    return object;
}
