/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi.h"

#include <stdio.h>
#include <string.h>

#include <pladis/pladis.h>

#include "api/routes_all.h"
#include "api/schemas.h"

static json_t *reference_to(const char *schema) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", schema));
}

static json_t *content_of(const char *type, json_t *schema) {
    return json_pack("{s:{s:o}}", type, "schema", schema);
}

static json_t *binary_schema(void) {
    return json_pack("{s:s, s:s}", "type", "string", "format", "binary");
}

/** What a body may be. */
static json_t *body_of(reply_builder *builder, const route *row) {
    json_t *content = json_object();
    if (row->body == BODY_JSON || row->body == BODY_JSON_OR_FORM) {
        reply_put(builder, content, "application/json",
                  json_pack("{s:o}", "schema", reference_to(row->schema)));
    }
    if (row->body == BODY_FORM || row->body == BODY_JSON_OR_FORM) {
        reply_put(builder, content, "multipart/form-data",
                  json_pack("{s:o}", "schema", reference_to(row->schema)));
    }
    if (row->body == BODY_PNG) {
        reply_put(builder, content, "image/png", json_pack("{s:o}", "schema", binary_schema()));
    }
    return json_pack("{s:b, s:o}", "required", 1, "content", content);
}

static json_t *success_of(const route *row) {
    if (row->reply != NULL && strcmp(row->reply, "empty") == 0) {
        return json_pack("{s:s}", "description", "done");
    }
    json_t *schema = strcmp(row->gives, "application/json") == 0
                         ? reference_to(row->reply != NULL ? row->reply : "object")
                     : strcmp(row->gives, "text/event-stream") == 0 ? json_object()
                     : strncmp(row->gives, "text/", 5) == 0         ? json_pack("{s:s}", "type", "string")
                                                                    : binary_schema();
    return json_pack("{s:s, s:o}", "description", "as asked for", "content", content_of(row->gives, schema));
}

static const char *status_of_success(const route *row) {
    return row->reply != NULL && strcmp(row->reply, "empty") == 0 ? "204"
           : strcmp(row->path, "/api/jobs") == 0                  ? "202"
                                                                  : "200";
}

/** Replies: the one that is asked for, and errors, of which every route may give some. */
static json_t *responses_of(reply_builder *builder, const route *row) {
    static const struct {
        const char *status, *description;
    } errors[] = {{"400", "something is wrong with the request"},
                  {"401", "the API key is missing or wrong"},
                  {"403", "a foreign name, or a page of another origin"},
                  {"404", "there is no such thing"},
                  {"413", "too large"},
                  {"415", "a body of another type"},
                  {"429", "the queue is full; Retry-After says when to try again"},
                  {"500", "the server failed"},
                  {"503", "the server is ending, or the job was cancelled"},
                  {"507", "there is not enough memory"}};
    json_t *responses = json_object();
    reply_put(builder, responses, status_of_success(row), success_of(row));
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        reply_put(builder, responses, errors[i].status,
                  json_pack("{s:s, s:o}", "description", errors[i].description, "content",
                            content_of("application/json", reference_to("object"))));
    }
    return responses;
}

/** The path with a name for its *. */
static void path_text(const route *row, char *text, size_t size) {
    const char *star = strchr(row->path, '*');
    if (star == NULL) {
        snprintf(text, size, "%s", row->path);
    } else {
        snprintf(text, size, "%.*s{name}%s", (int)(star - row->path), row->path, star + 1);
    }
}

static json_t *operation_of(reply_builder *builder, const route *row) {
    json_t *operation = json_object();
    reply_put(builder, operation, "tags", json_pack("[s]", row->group));
    reply_put(builder, operation, "summary", json_string(row->summary));
    if (row->parameter != NULL) {
        reply_put(builder, operation, "parameters",
                  json_pack("[{s:s, s:s, s:b, s:s, s:{s:s, s:i}}]", "name", "name", "in", "path", "required",
                            1, "description", row->parameter, "schema", "type", "string", "minLength", 1));
    }
    if (row->body != BODY_NONE) {
        reply_put(builder, operation, "requestBody", body_of(builder, row));
    }
    if (row->is_open) {
        reply_put(builder, operation, "security", json_array());
    }
    reply_put(builder, operation, "responses", responses_of(builder, row));
    return operation;
}

static void lower(const char *text, char *result, size_t size) {
    size_t i = 0;
    for (; text[i] != '\0' && i + 1 < size; i++) {
        const bool large = text[i] >= 'A' && text[i] <= 'Z';
        result[i] = (char)(large ? text[i] - 'A' + 'a' : text[i]);
    }
    result[i] = '\0';
}

static json_t *paths(reply_builder *builder) {
    json_t *all = json_object();
    for (size_t i = 0; i < all_routes.group_count; i++) {
        for (const route *row = all_routes.groups[i]; row->path != NULL; row++) {
            char path[128], method[16];
            if (row->group == NULL) {
                continue; /* the page's own */
            }
            path_text(row, path, sizeof path);
            lower(row->method, method, sizeof method);
            if (json_object_get(all, path) == NULL) {
                reply_put(builder, all, path, json_object());
            }
            reply_put(builder, json_object_get(all, path), method, operation_of(builder, row));
        }
    }
    return all;
}

json_t *openapi_document(void) {
    reply_builder builder = {0};
    json_t *document = json_object(), *components = json_object();
    reply_put(&builder, document, "openapi", json_string("3.1.0"));
    reply_put(&builder, document, "info",
              json_pack("{s:s, s:s, s:s}", "title", "pladis", "version", pld_version(), "description",
                        "Pictures from text with sparse cross-attention. Every option of pladis generate "
                        "that clients may set is a "
                        "field of its own name in all three interfaces."));
    reply_put(&builder, document, "paths", paths(&builder));
    reply_put(&builder, components, "schemas", schemas_all(&builder));
    reply_put(&builder, components, "securitySchemes",
              json_pack("{s:{s:s, s:s}}", "key", "type", "http", "scheme", "bearer"));
    reply_put(&builder, document, "components", components);
    reply_put(&builder, document, "security", json_pack("[{s:[]}, {}]", "key"));
    return reply_finish(&builder, document);
}
