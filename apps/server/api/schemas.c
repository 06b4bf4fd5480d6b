/* SPDX-License-Identifier: Apache-2.0 */
#include "api/schemas.h"

#include <string.h>

#include "api/routes_all.h"

/* ---- of options ---- */

static const char *description_of(const pld_option *option) {
    return option->help != NULL ? option->help : "";
}

/** Words of `choices` and names of a list. Other programs' names are taken, too, so they are examples, no limit. */
static void put_examples(reply_builder *builder, json_t *schema, const pld_option *option) {
    json_t *examples = json_array();
    const char *name = NULL, *description = NULL;
    for (const char *word = option->choices; word != NULL && *word != '\0';) {
        const size_t length = strcspn(word, " ");
        reply_append(builder, examples, json_stringn(word, length));
        word += length + (word[length] == ' ');
    }
    for (size_t i = 0; option->list != NULL && pld_list(option->list_kind, i, &name, &description); i++) {
        reply_append(builder, examples, json_string(name));
    }
    reply_put(builder, schema, "examples", examples);
}

static void put_range(reply_builder *builder, json_t *schema, const pld_option *option) {
    const bool integer = option->type == PLD_OPTION_INTEGER;
    if (option->minimum < option->maximum) {
        reply_put(builder, schema, option->above_minimum ? "exclusiveMinimum" : "minimum",
                  integer ? json_integer((json_int_t)option->minimum) : json_real(option->minimum));
        reply_put(builder, schema, "maximum",
                  integer ? json_integer((json_int_t)option->maximum) : json_real(option->maximum));
    }
}

static const char *type_of(const pld_option *option) {
    switch (option->type) {
    case PLD_OPTION_FLAG:
        return "boolean";
    case PLD_OPTION_INTEGER:
        return "integer";
    case PLD_OPTION_NUMBER:
    case PLD_OPTION_SIZE:
        return "number";
    case PLD_OPTION_NUMBERS:
    case PLD_OPTION_TEXTS:
        return "array";
    default:
        return "string";
    }
}

static json_t *option_schema(reply_builder *builder, const pld_option *option) {
    json_t *schema = json_object();
    reply_put(builder, schema, "type", json_pack("[s, s]", type_of(option), "null"));
    reply_put(builder, schema, "description", reply_text(description_of(option)));
    if (option->type == PLD_OPTION_NUMBERS || option->type == PLD_OPTION_TEXTS) {
        reply_put(builder, schema, "items",
                  json_pack("{s:s}", "type", option->type == PLD_OPTION_TEXTS ? "string" : "number"));
    }
    if (option->type == PLD_OPTION_INTEGER || option->type == PLD_OPTION_NUMBER) {
        put_range(builder, schema, option);
    }
    if (option->type == PLD_OPTION_CHOICE) {
        put_examples(builder, schema, option);
    }
    if (option->remote == PLD_REMOTE_UPLOAD) {
        reply_put(builder, schema, "contentEncoding", json_string("base64"));
    }
    return schema;
}

/** The name of a field: that of its option with '_' for '-'. */
static void field_name(const pld_option *option, char *name, size_t size) {
    size_t i = 0;
    for (; option->name[i] != '\0' && i + 1 < size; i++) {
        const char letter = option->name[i];
        name[i] = (char)(letter == '-' ? '_' : letter);
    }
    name[i] = '\0';
}

/** What a rule's field may be. */
static json_t *rule_schema(reply_builder *builder, const field_rule *rule) {
    char why[200];
    const pld_option *option =
        rule->action == FIELD_OPTION ? pld_option_find("generate", rule->option) : NULL;
    json_t *schema = option != NULL ? option_schema(builder, option)
                     : rule->schema != NULL
                         ? request_json(rule->schema, strlen(rule->schema), why, sizeof why)
                         : json_object();
    if (rule->action == FIELD_NEUTRAL) {
        reply_put(builder, schema, "enum",
                  request_json(rule->neutral, strlen(rule->neutral), why, sizeof why));
    }
    reply_put(builder, schema, "description", json_string(rule->about));
    return schema;
}

/** An interface's fields: its own by its rules, then every open option; no others. */
static json_t *request_schema(reply_builder *builder, const field_rules *rules, const char *needed) {
    json_t *properties = json_object();
    for (size_t i = 0; i < rules->count; i++) {
        reply_put(builder, properties, rules->rows[i].name, rule_schema(builder, &rules->rows[i]));
    }
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const pld_option *option = pld_option_at(i);
        char name[64];
        field_name(option, name, sizeof name);
        if (field_is_open(option) && json_object_get(properties, name) == NULL) {
            reply_put(builder, properties, name, option_schema(builder, option));
        }
    }
    json_t *schema = json_pack("{s:s, s:[s], s:o, s:b}", "type", "object", "required", "prompt", "properties",
                               properties, "additionalProperties", 0);
    if (needed != NULL) {
        reply_append(builder, json_object_get(schema, "required"), json_string(needed));
    }
    return schema;
}

/* ---- of replies ---- */

/** Replies as JSON texts: they are fixed. */
static const struct {
    const char *name, *schema;
} replies[] = {
    {"object", "{\"type\":\"object\"}"},
    {"list", "{\"type\":\"array\"}"},
    {"nothing", "{\"type\":\"null\"}"},
    {"health", "{\"type\":\"object\",\"required\":[\"status\",\"version\"],\"properties\":{\"status\":{"
               "\"enum\":[\"ok\",\"ending\"]},"
               "\"version\":{\"type\":\"string\"},\"queue\":{\"type\":\"integer\"},\"drawing\":{\"type\":"
               "\"boolean\"}}}"},
    {"job",
     "{\"type\":\"object\",\"required\":[\"id\",\"state\",\"place\",\"seed\",\"pictures\"],\"properties\":{"
     "\"id\":{\"type\":\"string\"},\"state\":{\"enum\":[\"queued\",\"running\",\"done\",\"failed\","
     "\"cancelled\"]},"
     "\"place\":{\"type\":\"integer\"},\"seed\":{\"type\":\"integer\"},\"seconds_left\":{\"type\":["
     "\"number\",\"null\"]},"
     "\"step\":{\"type\":\"integer\"},\"steps\":{\"type\":\"integer\"},\"pictures\":{\"type\":\"array\"},"
     "\"maps\":{\"type\":\"array\"},\"error\":{\"type\":[\"string\",\"null\"]}}}"},
    {"history",
     "{\"type\":\"object\",\"required\":[\"kept\",\"count\",\"names\"],\"properties\":{\"kept\":{\"type\":"
     "\"boolean\"},"
     "\"count\":{\"type\":\"integer\"},\"names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}"},
    {"settings",
     "{\"type\":\"object\",\"required\":[\"pictures\"],\"properties\":{\"pictures\":{\"type\":\"array\"},"
     "\"model\":{\"type\":\"string\"}}}"},
    {"openai_model",
     "{\"type\":\"object\",\"required\":[\"id\",\"object\"],\"properties\":{\"id\":{\"type\":\"string\"},"
     "\"object\":{\"const\":\"model\"}}}"},
    {"openai_models",
     "{\"type\":\"object\",\"required\":[\"object\",\"data\"],\"properties\":{\"object\":{\"const\":\"list\"}"
     ","
     "\"data\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/openai_model\"}}}}"},
    {"openai_pictures", "{\"type\":\"object\",\"required\":[\"created\",\"data\"],\"properties\":{"
                        "\"created\":{\"type\":\"integer\"},"
                        "\"data\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"b64_"
                        "json\":{\"type\":\"string\"},"
                        "\"url\":{\"type\":\"string\"},\"seed\":{\"type\":\"integer\"}}}}}}"},
    {"a1111_pictures",
     "{\"type\":\"object\",\"required\":[\"images\",\"parameters\",\"info\"],\"properties\":{"
     "\"images\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"parameters\":{\"type\":\"object\"},"
     "\"info\":{\"type\":\"string\"}}}"},
    {"a1111_options", "{\"type\":\"object\",\"properties\":{\"sd_model_checkpoint\":{\"type\":\"string\"}},"
                      "\"additionalProperties\":false}"},
    {"a1111_png_info",
     "{\"type\":\"object\",\"required\":[\"image\"],\"properties\":{\"image\":{\"type\":\"string\","
     "\"contentEncoding\":\"base64\"}}}"},
};

json_t *schemas_all(reply_builder *builder) {
    char why[200];
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        reply_put(builder, all, replies[i].name,
                  request_json(replies[i].schema, strlen(replies[i].schema), why, sizeof why));
    }
    reply_put(builder, all, "job_request", request_schema(builder, &jobs_rules, NULL));
    reply_put(builder, all, "openai_request", request_schema(builder, &openai_rules, NULL));
    reply_put(builder, all, "openai_edit", request_schema(builder, &openai_rules, "image"));
    reply_put(builder, all, "a1111_txt2img", request_schema(builder, &a1111_rules, NULL));
    reply_put(builder, all, "a1111_img2img", request_schema(builder, &a1111_rules, "init_images"));
    return all;
}
