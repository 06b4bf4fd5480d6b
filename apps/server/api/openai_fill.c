/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openai_fill.h"

#include <stdlib.h>
#include <string.h>

#define NO_EFFECT "accepted without effect"

static const field_rule rules[] = {
    {"model", FIELD_OPTION, "model", NULL, "a name of /v1/models; without it the default", NULL},
    {"n", FIELD_OPTION, "batch-count", NULL, "pictures, with seed, seed+1 and so on", NULL},
    {"size", FIELD_TAKEN, NULL, NULL, "WIDTHxHEIGHT, or auto",
     "{\"type\":[\"string\",\"null\"],\"pattern\":\"^([1-9][0-9]{0,3}x[1-9][0-9]{0,3}|auto)$\"}"},
    {"response_format", FIELD_TAKEN, NULL, NULL, "b64_json or url", "{\"enum\":[\"b64_json\",\"url\",null]}"},
    {"stream", FIELD_TAKEN, NULL, NULL, "server-sent events, with pictures as they form",
     "{\"type\":[\"boolean\",\"null\"]}"},
    {"partial_images", FIELD_TAKEN, NULL, NULL, "how many of those, 0 to 3",
     "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":3}"},
    {"user", FIELD_IGNORED, NULL, NULL, "which of a program's users asks; jobs of each take turns", NULL},
    {"image", FIELD_OPTION, "init-img", NULL, "the picture to start from", NULL},
    {"quality", FIELD_NEUTRAL, NULL, "[\"auto\",\"standard\",\"hd\",\"low\",\"medium\",\"high\",null]",
     NO_EFFECT "; steps decides", NULL},
    {"style", FIELD_NEUTRAL, NULL, "[\"vivid\",\"natural\",null]", NO_EFFECT, NULL},
    {"background", FIELD_NEUTRAL, NULL, "[\"auto\",\"opaque\",null]", NO_EFFECT, NULL},
    {"moderation", FIELD_NEUTRAL, NULL, "[\"auto\",\"low\",null]", NO_EFFECT, NULL},
    {"input_fidelity", FIELD_NEUTRAL, NULL, "[\"low\",\"high\",null]", NO_EFFECT "; strength decides", NULL},
    {"output_format", FIELD_NEUTRAL, NULL, "[\"png\",null]", "png", NULL},
    {"output_compression", FIELD_NEUTRAL, NULL, "[100,\"100\",null]", NO_EFFECT, NULL},
};

const field_rules openai_rules = {rules, sizeof rules / sizeof *rules};

static bool set_side(const field_reader *reader, const char *name, long side, job_request *request,
                     field_problem *problem) {
    json_t *value = json_integer(side);
    const bool set = fields_set(reader, name, value, request, problem);
    json_decref(value);
    return set;
}

/** "1024x768". */
static bool fill_size(const field_reader *reader, const submission *read, job_request *request,
                      field_problem *problem) {
    const char *size = NULL;
    char *end = NULL;
    if (!submission_text(read, "size", &size)) {
        return field_refuse(problem, "size", PLD_ERROR_ARGUMENT,
                            "size: expected a text such as \"1024x1024\"");
    }
    if (size == NULL || strcmp(size, "auto") == 0) {
        return true;
    }
    const long width = strtol(size, &end, 10);
    const long height = *end == 'x' ? strtol(end + 1, &end, 10) : 0;
    if (*end != '\0' || width < 1 || height < 1) {
        return field_refuse(problem, "size", PLD_ERROR_ARGUMENT,
                            "size: found \"%.40s\", expected WIDTHxHEIGHT or auto", size);
    }
    return set_side(reader, "width", width, request, problem) &&
           set_side(reader, "height", height, request, problem);
}

static bool fill_wishes(const submission *read, openai_wishes *wishes, field_problem *problem) {
    const char *format = NULL;
    int64_t partial = 0;
    if (!submission_text(read, "response_format", &format) ||
        (format != NULL && strcmp(format, "b64_json") != 0 && strcmp(format, "url") != 0)) {
        return field_refuse(problem, "response_format", PLD_ERROR_ARGUMENT,
                            "response_format: expected b64_json or url");
    }
    if (!submission_integer(read, "partial_images", &partial) || partial < 0 ||
        partial > OPENAI_MOST_PARTIAL) {
        return field_refuse(problem, "partial_images", PLD_ERROR_ARGUMENT, "partial_images: expected 0 to %d",
                            OPENAI_MOST_PARTIAL);
    }
    *wishes = (openai_wishes){.url = format != NULL && strcmp(format, "url") == 0,
                              .stream = submission_flag(read, "stream"),
                              .partial_images = (int)partial};
    return true;
}

bool openai_fill(const field_reader *reader, const submission *read, bool needs_picture, job_request *request,
                 openai_wishes *wishes, field_problem *problem) {
    return fill_wishes(read, wishes, problem) && fill_size(reader, read, request, problem) &&
           fields_read(reader, read->fields, read->uploads, read->upload_count, request, problem) &&
           (!needs_picture || request->init_image.size > 0 ||
            field_refuse(problem, "image", PLD_ERROR_ARGUMENT, "image: expected a PNG")) &&
           fields_settle(reader, request, problem);
}
