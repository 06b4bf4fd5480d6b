/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "fields/upload.h"

enum { LONGEST_NAME = 64 };

bool field_refuse(field_problem *problem, const char *field, pld_status status, const char *format, ...) {
    va_list arguments;
    problem->error.status = status;
    snprintf(problem->field, sizeof problem->field, "%s", field);
    va_start(arguments, format);
    vsnprintf(problem->error.message, sizeof problem->error.message, format, arguments);
    va_end(arguments);
    pld_make_printable(problem->field);
    pld_make_printable(problem->error.message);
    return false;
}

bool field_is_open(const pld_option *option) {
    return option != NULL && option->type < PLD_OPTION_HABIT && option->remote != PLD_REMOTE_NEVER &&
           pld_option_belongs(option, "generate");
}

/** What an option of the library says of itself already stands in front; others get the field's name. */
static bool pass_on(field_problem *problem, const char *field) {
    snprintf(problem->field, sizeof problem->field, "%s", field);
    return false;
}

/** Several texts of a name that the shelf must have. */
static bool check_loras(const field_reader *reader, job_request *request, field_problem *problem) {
    const pld_option_value *loras = pld_options_get(request->options, "generate", "lora");
    for (size_t i = 0; i < loras->count; i++) {
        size_t length = 0;
        double weight = 0;
        shelf_item found;
        char name[SHELF_NAME];
        if (pld_lora_parse(loras->texts[i], &length, &weight, &problem->error) != PLD_OK) {
            return pass_on(problem, "lora");
        }
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1),
                 loras->texts[i]);
        if (shelf_find_lora(reader->things, name, &found, &problem->error) != PLD_OK) {
            return pass_on(problem, "lora");
        }
    }
    return true;
}

/** The one value through the library's own reader of JSON, which knows types, ranges and what clients may not. */
static bool load(const char *option, const json_t *value, job_request *request, field_problem *problem) {
    reply_builder builder = {0};
    json_t *object = json_object();
    reply_put(&builder, object, option, json_incref((json_t *)(uintptr_t)value));
    object = reply_finish(&builder, object);
    char *text = reply_print(object);
    json_decref(object);
    if (text == NULL) {
        return field_refuse(problem, option, PLD_ERROR_MEMORY, "out of memory");
    }
    const pld_status status = pld_options_load(request->options, "generate", text, strlen(text),
                                               PLD_OPTIONS_REMOTE, &problem->error);
    free(text);
    return status == PLD_OK || pass_on(problem, option);
}

bool fields_set(const field_reader *reader, const char *name, const json_t *value, job_request *request,
                field_problem *problem) {
    const pld_option *option = pld_option_find("generate", name);
    if (!field_is_open(option)) {
        const char *nearest = pld_option_nearest("generate", name);
        const bool offer =
            option == NULL && nearest != NULL && field_is_open(pld_option_find("generate", nearest));
        return field_refuse(problem, name, PLD_ERROR_ARGUMENT, "%.60s: %s%s%s", name,
                            option != NULL ? "clients may not set it" : "there is no such field",
                            offer ? "; did you mean " : "", offer ? nearest : "");
    }
    if (option->remote == PLD_REMOTE_UPLOAD && json_is_null(value)) {
        return true; /* no file */
    }
    if (option->remote == PLD_REMOTE_UPLOAD) {
        return json_is_string(value) ? upload_keep_base64(option, json_string_value(value),
                                                          reader->limits.max_pixels, request, problem)
                                     : field_refuse(problem, name, PLD_ERROR_ARGUMENT,
                                                    "%s: expected a file as base64", option->name);
    }
    return load(option->name, value, request, problem);
}

static const field_rule *find_rule(const field_rules *rules, const char *name) {
    for (size_t i = 0; i < rules->count; i++) {
        if (strcmp(rules->rows[i].name, name) == 0) {
            return &rules->rows[i];
        }
    }
    return NULL;
}

static bool equal_values(const json_t *a, const json_t *b) {
    return json_is_number(a) && json_is_number(b) ? json_number_value(a) == json_number_value(b)
                                                  : json_equal(a, b);
}

/** Whether a value is one of those that change nothing. */
static bool is_neutral(const field_rule *rule, const json_t *value, field_problem *problem) {
    char why[160];
    json_t *neutral = request_json(rule->neutral, strlen(rule->neutral), why, sizeof why);
    bool found = false;
    for (size_t i = 0; i < json_array_size(neutral); i++) {
        found = found || equal_values(json_array_get(neutral, i), value);
    }
    json_decref(neutral);
    return found ||
           field_refuse(problem, rule->name, PLD_ERROR_UNSUPPORTED,
                        "%s: not supported; leave it out, or give one of %s", rule->name, rule->neutral);
}

static bool read_field(const field_reader *reader, const char *name, const json_t *value,
                       job_request *request, field_problem *problem) {
    const field_rule *rule = find_rule(reader->rules, name);
    if (rule == NULL) {
        return fields_set(reader, name, value, request, problem);
    }
    switch (rule->action) {
    case FIELD_OPTION:
        return fields_set(reader, rule->option, value, request, problem) || pass_on(problem, name);
    case FIELD_NEUTRAL:
        return is_neutral(rule, value, problem);
    default:
        return true;
    }
}

static bool read_upload(const field_reader *reader, const field_upload *upload, job_request *request,
                        field_problem *problem) {
    const field_rule *rule = find_rule(reader->rules, upload->name);
    const char *name = rule != NULL && rule->action == FIELD_OPTION ? rule->option : upload->name;
    const pld_option *option = pld_option_find("generate", name);
    if (!field_is_open(option) || option->remote != PLD_REMOTE_UPLOAD) {
        return field_refuse(problem, upload->name, PLD_ERROR_ARGUMENT, "%.60s: there is no file of this name",
                            upload->name);
    }
    return upload_keep(option, upload->bytes, upload->size, reader->limits.max_pixels, request, problem);
}

bool fields_read(const field_reader *reader, const json_t *object, const field_upload *uploads,
                 size_t upload_count, job_request *request, field_problem *problem) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        if (!read_field(reader, name, value, request, problem)) {
            return false;
        }
    }
    for (size_t i = 0; i < upload_count; i++) {
        if (!read_upload(reader, &uploads[i], request, problem)) {
            return false;
        }
    }
    return true;
}

/* ---- after all fields ---- */

static const pld_option_value *value_of(const job_request *request, const char *name) {
    return pld_options_get(request->options, "generate", name);
}

/** A model or a part of one by its name; "" for one that was not given. */
static bool check_names(const field_reader *reader, job_request *request, field_problem *problem) {
    static const char *const parts[] = {"vae", "unet", "text-encoder", "text-encoder-2", "text-encoder-3"};
    const pld_option_value *model = value_of(request, "model");
    shelf_item found;
    if (shelf_find_model(reader->things, model->is_set ? model->text : "", &found, &problem->error) !=
        PLD_OK) {
        return pass_on(problem, "model");
    }
    memcpy(request->model, found.name, sizeof request->model);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const pld_option_value *part = value_of(request, parts[i]);
        if (part->is_set && shelf_find_model(reader->things, part->text, &found, &problem->error) != PLD_OK) {
            return pass_on(problem, parts[i]);
        }
    }
    return check_loras(reader, request, problem);
}

static bool check_limits(const field_reader *reader, const job_request *request, field_problem *problem) {
    const int64_t width = value_of(request, "width")->integer, height = value_of(request, "height")->integer;
    const int64_t steps = value_of(request, "steps")->integer,
                  count = value_of(request, "batch-count")->integer;
    if (width > 0 && height > 0 && width * height > reader->limits.max_pixels) {
        return field_refuse(problem, "width", PLD_ERROR_ARGUMENT,
                            "%lld x %lld are more than the %lld pixels that this server draws",
                            (long long)width, (long long)height, (long long)reader->limits.max_pixels);
    }
    if (steps > reader->limits.max_steps) {
        return field_refuse(problem, "steps", PLD_ERROR_ARGUMENT, "steps: found %lld, expected at most %lld",
                            (long long)steps, (long long)reader->limits.max_steps);
    }
    return (count >= 1 && count <= JOB_MOST_PICTURES) ||
           field_refuse(problem, "batch-count", PLD_ERROR_ARGUMENT,
                        "batch-count: found %lld, expected 1 to %d", (long long)count, JOB_MOST_PICTURES);
}

/** A seed that the client can give again: a whole number that JavaScript keeps. */
static bool draw_seed(job_request *request, field_problem *problem) {
    const pld_option_value *seed = value_of(request, "seed");
    uint32_t drawn = 0;
    char text[16];
    if (seed->is_set && seed->integer >= 0) {
        request->seed = seed->integer;
        return true;
    }
    if (getrandom(&drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
        return field_refuse(problem, "seed", PLD_ERROR_INTERNAL, "the system gives no random numbers");
    }
    request->seed = drawn;
    snprintf(text, sizeof text, "%u", drawn);
    return pld_options_set(request->options, "generate", "seed", text, &problem->error) == PLD_OK ||
           pass_on(problem, "seed");
}

bool fields_settle(const field_reader *reader, job_request *request, field_problem *problem) {
    if (!value_of(request, "prompt")->is_set) {
        return field_refuse(problem, "prompt", PLD_ERROR_ARGUMENT, "prompt: expected a text, found none");
    }
    if (request->mask.size > 0 && request->init_image.size == 0) {
        return field_refuse(problem, "mask", PLD_ERROR_ARGUMENT,
                            "mask: expected a picture to which it belongs (init_img)");
    }
    request->count = (int)value_of(request, "batch-count")->integer;
    return check_names(reader, request, problem) && check_limits(reader, request, problem) &&
           draw_seed(request, problem);
}
