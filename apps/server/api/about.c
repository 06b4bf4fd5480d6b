/* SPDX-License-Identifier: Apache-2.0 */
/** What the server is and does: for the page, for those who watch over it, and for those who write clients. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openapi.h"
#include "api/routes_all.h"
#include "base/clock.h"
#include "base/memory_figures.h"
#include "base/text_buffer.h"
#include "context.h"
#include "http/exchange.h"

static void get_health(exchange *asked) {
    struct server *server = exchange_server(asked);
    reply_builder builder = {0};
    json_t *document = json_object();
    reply_put(&builder, document, "status", json_string(atomic_load(&server->stopping) ? "ending" : "ok"));
    reply_put(&builder, document, "version", json_string(pld_version()));
    reply_put(&builder, document, "queue", json_integer((json_int_t)job_queue_length(server->queue)));
    reply_put(&builder, document, "drawing", json_boolean(drawer_is_busy(server->drawer)));
    reply_json(asked, atomic_load(&server->stopping) ? 503 : 200, reply_finish(&builder, document));
}

/* ---- metrics ---- */

static void add_metric(text_buffer *text, const char *name, const char *type, const char *help,
                       double value) {
    text_add_printed(text, "# HELP pladis_%s %s\n# TYPE pladis_%s %s\npladis_%s %.17g\n", name, help, name,
                     type, name, value);
}

static void get_metrics(exchange *asked) {
    struct server *server = exchange_server(asked);
    server_counters *c = &server->counters;
    const memory_figures memory = memory_figures_now();
    text_buffer text = {0};
    add_metric(&text, "requests_total", "counter", "Requests that were answered.",
               (double)atomic_load(&c->requests));
    add_metric(&text, "requests_refused_total", "counter", "Those answered with a status of 400 or more.",
               (double)atomic_load(&c->refused));
    add_metric(&text, "jobs_done_total", "counter", "Jobs that ended well.",
               (double)atomic_load(&c->jobs_done));
    add_metric(&text, "jobs_failed_total", "counter", "Jobs that failed.",
               (double)atomic_load(&c->jobs_failed));
    add_metric(&text, "jobs_cancelled_total", "counter", "Jobs that were cancelled while drawn.",
               (double)atomic_load(&c->jobs_cancelled));
    add_metric(&text, "pictures_total", "counter", "Pictures that were drawn.",
               (double)atomic_load(&c->pictures));
    add_metric(&text, "steps_total", "counter", "Steps of those.", (double)atomic_load(&c->steps));
    add_metric(&text, "drawing_seconds_total", "counter", "Time in which jobs were drawn.",
               (double)atomic_load(&c->drawing_milliseconds) / 1000);
    add_metric(&text, "models_opened_total", "counter", "Models that were opened.",
               (double)atomic_load(&c->models_opened));
    add_metric(&text, "models_given_back_total", "counter", "Models that made room for others.",
               (double)atomic_load(&c->models_given_back));
    add_metric(&text, "queue_length", "gauge", "Jobs that wait.", (double)job_queue_length(server->queue));
    add_metric(&text, "drawing", "gauge", "Whether a job is drawn.", drawer_is_busy(server->drawer));
    add_metric(&text, "connections", "gauge", "Open connections.", (double)atomic_load(&c->connections_now));
    add_metric(&text, "history_pictures", "gauge", "Pictures that are kept.",
               (double)history_count(server->kept));
    add_metric(&text, "resident_memory_bytes", "gauge", "Memory of the process.", (double)memory.resident);
    add_metric(&text, "uptime_seconds", "gauge", "Time since the start.", clock_calendar() - server->started);
    const size_t size = text.length;
    char *whole = text_take(&text);
    if (whole == NULL) {
        reply_error(asked, 500, NULL, "out of memory");
    } else {
        reply_bytes(asked, 200, "text/plain; version=0.0.4; charset=utf-8", whole, size, free);
    }
}

/* ---- for the page ---- */

static json_t *names_of(reply_builder *builder, struct server *server,
                        pld_status (*list_of)(shelf *, shelf_list *, pld_error *)) {
    shelf_list list;
    json_t *names = json_array();
    if (list_of(server->things, &list, NULL) != PLD_OK) {
        builder->failed = true;
        return names;
    }
    for (size_t i = 0; i < list.count; i++) {
        reply_append(builder, names, json_string(list.items[i].name));
    }
    shelf_list_free(&list);
    return names;
}

/** The names of a list of the library, or NULL. */
static json_t *choices_of(reply_builder *builder, const pld_option *option) {
    json_t *choices = json_array();
    const char *name = NULL, *description = NULL;
    for (const char *word = option->choices; word != NULL && *word != '\0';) {
        const size_t length = strcspn(word, " ");
        reply_append(builder, choices, json_stringn(word, length));
        word += length + (word[length] == ' ');
    }
    for (size_t i = 0; option->list != NULL && pld_list(option->list_kind, i, &name, &description); i++) {
        reply_append(builder, choices, json_string(name));
    }
    return choices;
}

static json_t *option_json(reply_builder *builder, const pld_option *option) {
    static const char *const types[] = {"flag", "integer", "number", "text", "choice",
                                        "pair", "numbers", "texts",  "size"};
    json_t *made = json_object();
    reply_put(builder, made, "name", json_string(option->name));
    reply_put(builder, made, "type", json_string(types[option->type]));
    reply_put(builder, made, "group", reply_text(option->group));
    reply_put(builder, made, "help", reply_text(option->help));
    reply_put(builder, made, "fallback", reply_text(option->fallback));
    reply_put(builder, made, "otherwise", reply_text(option->otherwise));
    reply_put(builder, made, "unit", reply_text(option->unit));
    reply_put(builder, made, "minimum",
              option->minimum < option->maximum ? reply_number(option->minimum) : json_null());
    reply_put(builder, made, "maximum",
              option->minimum < option->maximum ? reply_number(option->maximum) : json_null());
    reply_put(builder, made, "choices", choices_of(builder, option));
    reply_put(builder, made, "upload", json_boolean(option->remote == PLD_REMOTE_UPLOAD));
    reply_put(builder, made, "of_picture", json_boolean(option->of_picture));
    return made;
}

static void get_options(exchange *asked) {
    reply_builder builder = {0};
    json_t *all = json_array();
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        if (field_is_open(pld_option_at(i))) {
            reply_append(&builder, all, option_json(&builder, pld_option_at(i)));
        }
    }
    reply_json(asked, 200, reply_finish(&builder, all));
}

static void get_server(exchange *asked) {
    struct server *server = exchange_server(asked);
    reply_builder builder = {0};
    char model[SHELF_NAME];
    json_t *document = json_object();
    shelf_default(server->things, model);
    reply_put(&builder, document, "version", json_string(pld_version()));
    reply_put(&builder, document, "isa", json_string(pld_engine_isa(server->engine)));
    reply_put(&builder, document, "threads", json_integer(pld_engine_threads(server->engine)));
    reply_put(&builder, document, "model", json_string(model));
    reply_put(&builder, document, "models", names_of(&builder, server, shelf_models));
    reply_put(&builder, document, "loras", names_of(&builder, server, shelf_loras));
    reply_put(&builder, document, "history", json_boolean(history_is_kept(server->kept)));
    reply_put(&builder, document, "max_pixels", json_integer(server->limits.max_pixels));
    reply_put(&builder, document, "max_steps", json_integer(server->limits.max_steps));
    reply_json(asked, 200, reply_finish(&builder, document));
}

/** The key, given once, as a cookie that the page's pictures and events carry. */
static void post_session(exchange *asked) {
    char name[SECRET_NAME], cookie[128];
    if (!guard_open_session(exchange_server(asked)->guard, name)) {
        reply_error(asked, 500, NULL, "the system gives no random numbers");
        return;
    }
    snprintf(cookie, sizeof cookie, "pladis-session=%s; HttpOnly; SameSite=Strict; Path=/", name);
    reply_header(asked, "Set-Cookie", cookie);
    reply_empty(asked, 204);
}

static void get_openapi(exchange *asked) {
    reply_json(asked, 200, openapi_document());
}

#define ABOUT .group = "server", .gives = "application/json"

const route about_routes[] = {
    {"GET", "/health", get_health, .is_open = true, ABOUT, .reply = "health",
     .summary = "Whether the server is alive"},
    {"GET", "/metrics", get_metrics, .group = "server", .gives = "text/plain",
     .summary = "Figures in Prometheus' form"},
    {"GET", "/api/server", get_server, ABOUT, .summary = "What the server has and allows"},
    {"GET", "/api/options", get_options, ABOUT, .reply = "list", .summary = "Every option of a picture"},
    {"GET", "/api/openapi.json", get_openapi, ABOUT, .summary = "This description"},
    {"POST", "/api/session", post_session, ABOUT, .reply = "empty",
     .summary = "A cookie that stands for the API key"},
    {0},
};
