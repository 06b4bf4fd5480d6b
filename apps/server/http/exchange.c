/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* POLLRDHUP */
#include "http/exchange.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/status.h>

#include "http/daemon_struct.h"
#include "http/exchange_struct.h"

struct server *exchange_server(const exchange *asked) {
    return asked->daemon->setting.server;
}

const char *exchange_client(const exchange *asked) {
    return asked->client;
}

const char *exchange_tail(const exchange *asked) {
    return asked->tail;
}

const char *exchange_query(const exchange *asked, const char *name) {
    return MHD_lookup_connection_value(asked->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(const exchange *asked, const char *name) {
    return MHD_lookup_connection_value(asked->connection, MHD_HEADER_KIND, name);
}

const char *exchange_body(const exchange *asked, size_t *size) {
    *size = asked->body.length;
    return asked->body.text;
}

bool exchange_is_form(const exchange *asked) {
    return asked->is_form;
}

size_t exchange_part_count(const exchange *asked) {
    return asked->part_count;
}

form_part exchange_part(const exchange *asked, size_t index) {
    const held_part *part = &asked->parts[index];
    return (form_part){part->name, part->is_file, part->bytes.text != NULL ? part->bytes.text : "",
                       part->bytes.length};
}

bool exchange_is_gone(const exchange *asked) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(asked->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd looked_at = {.fd = info != NULL ? (int)info->connect_fd : -1, .events = POLLRDHUP};
    return looked_at.fd < 0 ||
           (poll(&looked_at, 1, 0) > 0 && (looked_at.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}

bool exchange_is_answered(const exchange *asked) {
    return asked->answered;
}

/* ---- replies ---- */

/** Headers that every reply has. What a page may load and do is told to the browser: nothing but what comes from here. */
static const struct {
    const char *name, *value;
} headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' "
                                "blob: data:; connect-src 'self'; "
                                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
};

/** Send a response, which is given back. */
static void send_response(exchange *answered, unsigned status, struct MHD_Response *response,
                          const char *type, size_t size) {
    if (response == NULL || answered->answered) {
        if (response != NULL) {
            MHD_destroy_response(response);
        }
        return;
    }
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        MHD_add_response_header(response, headers[i].name, headers[i].value);
    }
    for (size_t i = 0; i < answered->header_count; i++) {
        MHD_add_response_header(response, answered->header_names[i], answered->header_values[i]);
    }
    if (type != NULL) {
        MHD_add_response_header(response, "Content-Type", type);
    }
    watch_phase_begin(answered->daemon->watching, answered->watched, size > 0 ? WATCH_REPLY : WATCH_WORK,
                      size);
    answered->answered = MHD_queue_response(answered->connection, status, response) == MHD_YES;
    answered->status = status;
    answered->sent = size;
    MHD_destroy_response(response);
}

void reply_header(exchange *answered, const char *name, const char *value) {
    if (answered->header_count < EXCHANGE_HEADERS) {
        answered->header_names[answered->header_count] = name;
        snprintf(answered->header_values[answered->header_count++], sizeof answered->header_values[0], "%s",
                 value);
    }
}

void reply_bytes(exchange *answered, unsigned status, const char *type, const void *bytes, size_t size,
                 void (*release)(void *)) {
    void *data = (void *)(uintptr_t)bytes;
    struct MHD_Response *response =
        release != NULL ? MHD_create_response_from_buffer_with_free_callback(size, data, release)
                        : MHD_create_response_from_buffer(size, data, MHD_RESPMEM_PERSISTENT);
    if (response == NULL && release != NULL) {
        release(data);
    }
    send_response(answered, status, response, type, size);
}

void reply_empty(exchange *answered, unsigned status) {
    send_response(answered, status, MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), NULL,
                  0);
}

void reply_json(exchange *answered, unsigned status, json_t *document) {
    static const char no_memory[] = "{\"error\":{\"message\":\"out of memory\"}}";
    char *text = reply_print(document);
    json_decref(document);
    if (text == NULL) {
        reply_bytes(answered, 500, "application/json", no_memory, sizeof no_memory - 1, NULL);
    } else {
        reply_bytes(answered, status, "application/json", text, strlen(text), free);
    }
}

/** The form of errors where no interface has its own. */
static json_t *plain_error(unsigned status, const char *field, const char *message) {
    reply_builder builder = {0};
    json_t *error = json_object(), *whole = json_object();
    reply_put(&builder, error, "message", reply_text(message));
    reply_put(&builder, error, "status", json_integer(status));
    reply_put(&builder, error, "field", reply_text(field));
    reply_put(&builder, whole, "error", error);
    return reply_finish(&builder, whole);
}

void reply_error(exchange *answered, unsigned status, const char *field, const char *format, ...) {
    char message[PLD_ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    pld_make_printable(message);
    const error_form form =
        answered->route != NULL && answered->route->error != NULL ? answered->route->error : plain_error;
    reply_json(answered, status, form(status, field != NULL && field[0] != '\0' ? field : NULL, message));
}

unsigned reply_status_of(int status) {
    switch (status) {
    case PLD_OK:
        return 200;
    case PLD_ERROR_ARGUMENT:
    case PLD_ERROR_FORMAT:
    case PLD_ERROR_UNSUPPORTED:
        return 400;
    case PLD_ERROR_MISSING:
        return 404;
    case PLD_ERROR_MEMORY:
        return 507;
    default:
        return 500;
    }
}

/** What belongs to a reply of events. */
typedef struct event_stream {
    bool (*next)(void *user, text_buffer *events);
    void (*end)(void *user);
    void *user;
    text_buffer pending; /* of which the first `sent` bytes are sent */
    size_t sent;
    bool over;
} event_stream;

static ssize_t read_events(void *context, uint64_t position, char *bytes, size_t most) {
    event_stream *stream = context;
    (void)position;
    while (stream->sent == stream->pending.length && !stream->over && !stream->pending.incomplete) {
        text_free(&stream->pending);
        stream->sent = 0;
        stream->over = !stream->next(stream->user, &stream->pending);
    }
    if (stream->pending.incomplete) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    const size_t left = stream->pending.length - stream->sent, size = left < most ? left : most;
    if (size == 0) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    memcpy(bytes, stream->pending.text + stream->sent, size);
    stream->sent += size;
    return (ssize_t)size;
}

static void free_events(void *context) {
    event_stream *stream = context;
    stream->end(stream->user);
    text_free(&stream->pending);
    free(stream);
}

void reply_events(exchange *answered, bool (*next)(void *user, text_buffer *events), void (*end)(void *user),
                  void *user) {
    enum { PIECE = 16 << 10 };
    event_stream *stream = malloc(sizeof *stream);
    struct MHD_Response *response = NULL;
    if (stream != NULL) {
        *stream = (event_stream){.next = next, .end = end, .user = user};
        response =
            MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_events, stream, free_events);
    }
    if (response == NULL) {
        free(stream);
        end(user);
        reply_error(answered, 500, NULL, "out of memory");
        return;
    }
    reply_header(answered, "Cache-Control", "no-store");
    send_response(answered, 200, response, "text/event-stream", 0);
}
