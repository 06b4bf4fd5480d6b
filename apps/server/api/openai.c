/* SPDX-License-Identifier: Apache-2.0 */
/** OpenAI's interface of pictures, as its clients speak it; every option of ours is a field beside its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openai_fill.h"
#include "api/openai_stream.h"
#include "api/routes_all.h"
#include "api/submit.h"
#include "base/base64.h"
#include "base/clock.h"

/** Errors as OpenAI's clients read them. */
static json_t *openai_error(unsigned status, const char *field, const char *message) {
    reply_builder builder = {0};
    json_t *error = json_object(), *whole = json_object();
    const char *type = status == 401   ? "authentication_error"
                       : status == 429 ? "rate_limit_error"
                       : status >= 500 ? "server_error"
                                       : "invalid_request_error";
    reply_put(&builder, error, "message", reply_text(message));
    reply_put(&builder, error, "type", json_string(type));
    reply_put(&builder, error, "param", reply_text(field));
    reply_put(&builder, error, "code",
              status == 404 && field != NULL && strcmp(field, "model") == 0 ? json_string("model_not_found")
              : status == 429                                               ? json_string("queue_full")
              : status == 401                                               ? json_string("invalid_api_key")
                                                                            : json_null());
    reply_put(&builder, whole, "error", error);
    return reply_finish(&builder, whole);
}

static json_t *model_json(reply_builder *builder, const shelf_item *item, double created) {
    json_t *made = json_object();
    reply_put(builder, made, "id", json_string(item->name));
    reply_put(builder, made, "object", json_string("model"));
    reply_put(builder, made, "created", json_integer((json_int_t)created));
    reply_put(builder, made, "owned_by", json_string("pladis"));
    return made;
}

static void get_models(exchange *asked) {
    struct server *server = exchange_server(asked);
    shelf_list list;
    pld_error error = {0};
    if (shelf_models(server->things, &list, &error) != PLD_OK) {
        reply_error(asked, 500, NULL, "%s", error.message);
        return;
    }
    reply_builder builder = {0};
    json_t *all = json_array(), *document = json_object();
    for (size_t i = 0; i < list.count; i++) {
        reply_append(&builder, all, model_json(&builder, &list.items[i], server->started));
    }
    shelf_list_free(&list);
    reply_put(&builder, document, "object", json_string("list"));
    reply_put(&builder, document, "data", all);
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void get_model(exchange *asked) {
    struct server *server = exchange_server(asked);
    reply_builder builder = {0};
    shelf_item found;
    pld_error error = {0};
    if (shelf_find_model(server->things, exchange_tail(asked), &found, &error) != PLD_OK) {
        reply_error(asked, 404, "model", "%s", error.message);
        return;
    }
    json_t *document = model_json(&builder, &found, server->started);
    reply_json(asked, 200, reply_finish(&builder, document));
}

/* ---- pictures ---- */

/** Where a picture can be fetched, as the client reached the server. */
static json_t *picture_url(const exchange *asked, const job *done, size_t index) {
    const char *host = exchange_header(asked, "Host"), *scheme = exchange_header(asked, "X-Forwarded-Proto");
    return json_sprintf("%s://%s/api/pictures/%s-%zu.png",
                        scheme != NULL && strcmp(scheme, "https") == 0 ? "https" : "http",
                        host != NULL ? host : "localhost", done->id, index);
}

static json_t *base64_json(const job_bytes *png) {
    char *text = base64_write(png->bytes, png->size);
    json_t *value = text != NULL ? json_string_nocheck(text) : NULL;
    free(text);
    return value;
}

static void reply_pictures(exchange *asked, const job *done, const job_progress *progress, bool as_url) {
    reply_builder builder = {0};
    json_t *data = json_array(), *document = json_object();
    for (size_t i = 0; i < progress->picture_count; i++) {
        const job_picture *picture = &done->pictures[i];
        json_t *made = json_object();
        reply_put(&builder, made, as_url ? "url" : "b64_json",
                  as_url ? picture_url(asked, done, i) : base64_json(&picture->png));
        reply_put(&builder, made, "seed", json_integer(picture->seed));
        reply_append(&builder, data, made);
    }
    const job_picture *first = &done->pictures[0];
    reply_put(&builder, document, "created", json_integer((json_int_t)clock_calendar()));
    reply_put(&builder, document, "size", json_sprintf("%dx%d", first->width, first->height));
    reply_put(&builder, document, "output_format", json_string("png"));
    reply_put(&builder, document, "background", json_string("opaque"));
    reply_put(&builder, document, "data", data);
    reply_json(asked, 200, reply_finish(&builder, document));
}

/** Draw what was read, and answer. `needs_picture`: an edit, which starts from one. */
static void draw(exchange *asked, const submission *read, bool needs_picture) {
    struct server *server = exchange_server(asked);
    job_request request = {0};
    openai_wishes wishes;
    job *made = NULL;
    if (submission_begin(asked, read, &request)) {
        const field_reader reader = {&openai_rules, server->things, server->limits};
        field_problem problem = {0};
        if (openai_fill(&reader, read, needs_picture, &request, &wishes, &problem)) {
            made = submission_queue(asked, &request);
        } else {
            submission_refuse(asked, &problem);
        }
    }
    job_request_free(&request);
    if (made != NULL && wishes.stream) {
        openai_stream(asked, made, &wishes, needs_picture ? "image_edit" : "image_generation");
    } else if (made != NULL) {
        const job_progress progress = submission_wait(asked, made);
        if (!submission_failed(asked, &progress)) {
            reply_pictures(asked, made, &progress, wishes.url);
        }
    }
    job_release(&made);
}

static void post_generations(exchange *asked) {
    submission read;
    if (submission_read(asked, &read)) {
        draw(asked, &read, false);
        submission_free(&read);
    }
}

static void post_edits(exchange *asked) {
    submission read;
    if (submission_read(asked, &read)) {
        draw(asked, &read, true);
        submission_free(&read);
    }
}

#define OPENAI .error = openai_error, .group = "OpenAI", .gives = "application/json"

const route openai_routes[] = {
    {"GET", "/v1/models", get_models, OPENAI, .reply = "openai_models",
     .summary = "Models that the server has"},
    {"GET", "/v1/models/*", get_model, OPENAI, .reply = "openai_model", .parameter = "name of a model",
     .summary = "One of them"},
    {"POST", "/v1/images/generations", post_generations, .body = BODY_JSON, OPENAI,
     .schema = "openai_request", .reply = "openai_pictures", .summary = "Draw pictures"},
    {"POST", "/v1/images/edits", post_edits, .body = BODY_JSON_OR_FORM, OPENAI, .schema = "openai_edit",
     .reply = "openai_pictures", .summary = "Draw pictures that start from one"},
    {0},
};
