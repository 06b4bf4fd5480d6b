/* SPDX-License-Identifier: Apache-2.0 */
#include "http/dispatch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/daemon_struct.h"
#include "http/exchange_struct.h"

static const long long most_held = 512LL << 20; /* bytes of all bodies at once */
enum { MOST_BODY = 64 << 20 };

/** The address of a client; an IPv4 address that came over IPv6 is one. */
static void client_address(struct MHD_Connection *connection, char *text, size_t size) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    const void *bytes = address == NULL ? NULL
                        : address->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (bytes == NULL || inet_ntop(address->sa_family, bytes, text, (socklen_t)size) == NULL) {
        snprintf(text, size, "unknown");
    }
    if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL) {
        memmove(text, text + 7, strlen(text + 7) + 1);
    }
}

static exchange *begin_exchange(http_daemon *daemon, struct MHD_Connection *connection, const char *method,
                                const char *path) {
    exchange *begun = calloc(1, sizeof *begun);
    if (begun == NULL) {
        return NULL;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    begun->daemon = daemon;
    begun->connection = connection;
    begun->watched = info != NULL ? info->socket_context : NULL;
    begun->begin = clock_steady();
    snprintf(begun->method, sizeof begun->method, "%s", method);
    snprintf(begun->path, sizeof begun->path, "%s", path);
    client_address(connection, begun->client, sizeof begun->client);
    return begun;
}

static const char *header(const exchange *asked, const char *name) {
    return MHD_lookup_connection_value(asked->connection, MHD_HEADER_KIND, name);
}

/** Who may not ask is told so. */
static void admit(exchange *asked, bool is_open) {
    const guard_request request = {.method = asked->method,
                                   .host = header(asked, "Host"),
                                   .origin = header(asked, "Origin"),
                                   .fetch_site = header(asked, "Sec-Fetch-Site"),
                                   .fetch_mode = header(asked, "Sec-Fetch-Mode"),
                                   .authorization = header(asked, "Authorization"),
                                   .key = header(asked, "X-API-Key"),
                                   .cookie = header(asked, "Cookie"),
                                   .is_open = is_open};
    switch (guard_ask(asked->daemon->setting.guard, &request)) {
    case GUARD_WRONG_HOST:
        reply_error(asked, 403, NULL,
                    "this server does not go by the name in the Host header; --allowed-host NAME lets it in");
        break;
    case GUARD_WRONG_ORIGIN:
        reply_error(asked, 403, NULL, "a page of another origin may not ask; --allowed-host NAME lets it in");
        break;
    case GUARD_WRONG_KEY:
        reply_header(asked, "WWW-Authenticate", "Bearer");
        reply_error(asked, 401, NULL, "expected the server's API key as a Bearer token");
        break;
    default:
        break;
    }
}

/** The length that the body is said to have decides how long it may take. */
static void check_length(exchange *asked) {
    enum { UNKNOWN = 1 << 20, LONGEST_NUMBER = 10 };
    const char *length = header(asked, "Content-Length");
    const long long bytes =
        length != NULL && strlen(length) <= LONGEST_NUMBER ? strtoll(length, NULL, 10) : UNKNOWN;
    if ((length != NULL && strlen(length) > LONGEST_NUMBER) || bytes > MOST_BODY || bytes < 0) {
        asked->too_large = true;
        reply_error(asked, 413, NULL, "the body has more than %d bytes", (int)MOST_BODY);
    } else {
        watch_phase_begin(asked->daemon->watching, asked->watched, WATCH_BODY, (size_t)bytes);
    }
}

static bool is_type(const char *found, const char *type) {
    const size_t length = strlen(type);
    return strncasecmp(found, type, length) == 0 && strchr("; ", found[length]) != NULL;
}

/** A body of a type that the route takes. JSON must say that it is: what a foreign page can send without asking first is of another
 *  type. */
static void begin_body(exchange *asked) {
    const char *type = header(asked, "Content-Type");
    const route_body takes = asked->route->body;
    const bool form = type != NULL && (is_type(type, "multipart/form-data") ||
                                       is_type(type, "application/x-www-form-urlencoded"));
    const bool json = type != NULL && is_type(type, "application/json");
    const bool png =
        type != NULL && (is_type(type, "image/png") || is_type(type, "application/octet-stream"));
    asked->is_form = form && (takes == BODY_FORM || takes == BODY_JSON_OR_FORM);
    const char *expected = takes == BODY_JSON && !json ? "JSON (Content-Type: application/json)"
                           : takes == BODY_FORM && !asked->is_form
                               ? "a form (Content-Type: multipart/form-data)"
                           : takes == BODY_PNG && !png ? "a PNG (Content-Type: image/png)"
                           : takes == BODY_JSON_OR_FORM && !json && !asked->is_form
                               ? "JSON or a form (Content-Type: application/json "
                                 "or multipart/form-data)"
                               : NULL;
    if (expected != NULL) {
        reply_error(asked, 415, NULL, "expected %s, found %.100s", expected,
                    type != NULL ? type : "no Content-Type");
    }
}

/** Headers are there: find the route and look whether all that can be told by them is right. */
static void begin_request(exchange *asked) {
    char others[ROUTES_METHODS];
    const route_table *routes = asked->daemon->setting.routes;
    asked->route = routes_find(routes, asked->method, asked->path, asked->tail, sizeof asked->tail, others);
    admit(asked, asked->route != NULL && asked->route->is_open);
    if (!asked->answered && asked->route == NULL && others[0] != '\0') {
        reply_header(asked, "Allow", others);
        reply_error(asked, 405, NULL, "this path takes another method: %s", others);
    } else if (!asked->answered && asked->route == NULL) {
        reply_error(asked, 404, NULL, "there is no such path");
    }
    if (!asked->answered) {
        check_length(asked);
    }
    if (!asked->answered) {
        begin_body(asked);
    }
}

/** One more piece of the body, which counts against what all of them may take. */
static void take_piece(exchange *asked, const char *bytes, size_t size) {
    server_counters *counters = asked->daemon->setting.counters;
    if (asked->answered || asked->too_large) {
        return;
    }
    asked->held += size;
    const long long all = atomic_fetch_add(&counters->body_bytes_now, (long long)size) + (long long)size;
    if (asked->held > MOST_BODY || all > most_held || !exchange_take_body(asked, bytes, size)) {
        asked->too_large = true;
    }
}

/** All is there. */
static void end_request(exchange *asked) {
    watch_phase_begin(asked->daemon->watching, asked->watched, WATCH_WORK, 0);
    if (asked->too_large) {
        reply_error(asked, 413, NULL, "the body is too large, has too many parts, or finds no memory now");
    } else if (!exchange_end_body(asked)) {
        reply_error(asked, 400, NULL, "the form is not complete");
    } else {
        asked->route->handle(asked);
    }
    if (!asked->answered) {
        reply_error(asked, 500, NULL, "no answer");
    }
}

enum MHD_Result dispatch_request(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *bytes, size_t *size,
                                 void **kept) {
    http_daemon *daemon = context;
    exchange *asked = *kept;
    (void)version;
    if (asked == NULL) {
        asked = begin_exchange(daemon, connection, method, path);
        if (asked == NULL) {
            return MHD_NO;
        }
        *kept = asked;
        watch_phase_begin(daemon->watching, asked->watched, WATCH_BODY, 0);
        begin_request(asked);
        return MHD_YES;
    }
    if (*size > 0) {
        take_piece(asked, bytes, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!asked->answered) {
        end_request(asked);
    }
    return MHD_YES;
}

void dispatch_completed(void *context, struct MHD_Connection *connection, void **kept,
                        enum MHD_RequestTerminationCode how) {
    http_daemon *daemon = context;
    exchange *done = *kept;
    (void)connection;
    if (done == NULL) {
        return;
    }
    atomic_fetch_sub(&daemon->setting.counters->body_bytes_now, (long long)done->held);
    atomic_fetch_add(&daemon->setting.counters->requests, 1);
    atomic_fetch_add(&daemon->setting.counters->refused, done->status >= 400);
    if (done->route == NULL || strcmp(done->path, "/health") != 0) {
        log_line(daemon->setting.log, "%s %s %.200s %u %llu %.3f s%s", done->client, done->method, done->path,
                 done->status, (unsigned long long)done->sent, clock_steady() - done->begin,
                 how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " (broken off)");
    }
    watch_phase_begin(daemon->watching, done->watched, WATCH_HEADERS, 0);
    exchange_free(done);
    *kept = NULL;
}
