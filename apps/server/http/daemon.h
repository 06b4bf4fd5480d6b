/* SPDX-License-Identifier: Apache-2.0 */
/** The HTTP side of the server, on libmicrohttpd: a thread for each connection, as one may wait for its picture. */
#ifndef PLADIS_SERVER_HTTP_DAEMON_H
#define PLADIS_SERVER_HTTP_DAEMON_H

#include <pladis/status.h>

#include "base/counters.h"
#include "base/log.h"
#include "http/guard.h"
#include "http/routes.h"

typedef struct http_daemon http_daemon;

typedef struct http_setting {
    const char *host; /**< an address, or "localhost" */
    uint16_t port;    /**< 0: any that is free */
    const route_table *routes;
    guard *guard;
    struct server *server; /**< for the routes' functions */
    server_counters *counters;
    const server_log *log; /**< of accesses */
} http_setting;

/** Begin to listen. All of `setting` outlives it. */
pld_status http_start(const http_setting *setting, http_daemon **started, pld_error *error);
uint16_t http_port(const http_daemon *asked);

/** Take no new connections and end those that have nothing to do. */
void http_quiesce(http_daemon *daemon);

/** Wait for all connections; what waits in an exchange must end soon. */
void http_stop(http_daemon **stopped);

#endif
