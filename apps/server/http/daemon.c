/* SPDX-License-Identifier: Apache-2.0 */
#include "http/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/daemon_struct.h"
#include "http/dispatch.h"

enum {
    MOST_CONNECTIONS = 512,
    CONNECTION_MEMORY = 64 << 10, /* headers, and what is sent at once */
    STACK_BYTES = 1 << 20,
    SECONDS_IDLE = 75 /* without a byte */
};

static pld_status fail(pld_error *error, const http_setting *setting, const char *why) {
    error->status = PLD_ERROR_IO;
    snprintf(error->message, sizeof error->message, "cannot listen on %s, port %u: %s", setting->host,
             setting->port, why);
    return PLD_ERROR_IO;
}

/** A socket that listens; -1, with the reason in `why`. */
static int listen_on(const http_setting *setting, const char **why) {
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[8];
    int made = -1;
    snprintf(port, sizeof port, "%u", setting->port);
    const int problem = getaddrinfo(setting->host, port, &hints, &found);
    *why = problem != 0 ? gai_strerror(problem) : "no address";
    for (struct addrinfo *at = found; at != NULL && made < 0; at = at->ai_next) {
        const int yes = 1;
        made = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (made >= 0 && (setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
                          bind(made, at->ai_addr, at->ai_addrlen) != 0 || listen(made, SOMAXCONN) != 0)) {
            *why = strerror(errno);
            close(made);
            made = -1;
        }
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return made;
}

/** A connection began or ended. */
static void note_connection(void *context, struct MHD_Connection *connection, void **kept,
                            enum MHD_ConnectionNotificationCode what) {
    http_daemon *self = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *kept = info != NULL ? watch_add(self->watching, (int)info->connect_fd) : NULL;
        atomic_fetch_add(&self->setting.counters->connections_now, 1);
    } else {
        watch_remove(self->watching, *kept);
        *kept = NULL;
        atomic_fetch_sub(&self->setting.counters->connections_now, 1);
    }
}

/** What the library says of broken requests is the client's affair. */
static void pass_over(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}

pld_status http_start(const http_setting *setting, http_daemon **started, pld_error *error) {
    const char *why = NULL;
    http_daemon *self = calloc(1, sizeof *self);
    *started = NULL;
    if (self == NULL) {
        return fail(error, setting, "out of memory");
    }
    *self = (http_daemon){.setting = *setting, .socket = -1};
    self->watching = watch_start();
    const int listening = self->watching != NULL ? listen_on(setting, &why) : -1;
    if (listening < 0) {
        watch_stop(&self->watching);
        free(self);
        return fail(error, setting, why != NULL ? why : "out of memory");
    }
    self->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
            MHD_USE_ERROR_LOG,
        setting->port, NULL, NULL, dispatch_request, self, MHD_OPTION_EXTERNAL_LOGGER, pass_over, NULL,
        MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SECONDS_IDLE, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, note_connection, self,
        MHD_OPTION_NOTIFY_COMPLETED, dispatch_completed, self, MHD_OPTION_END);
    if (self->daemon == NULL) {
        close(listening);
        watch_stop(&self->watching);
        free(self);
        return fail(error, setting, "the HTTP library does not start");
    }
    *started = self;
    return PLD_OK;
}

uint16_t http_port(const http_daemon *asked) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(asked->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (info == NULL || getsockname(info->listen_fd, (struct sockaddr *)&address, &size) != 0) {
        return asked->setting.port;
    }
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

void http_quiesce(http_daemon *self) {
    if (self->socket < 0) {
        self->socket = MHD_quiesce_daemon(self->daemon);
    }
    watch_end_idle(self->watching);
}

void http_stop(http_daemon **stopped) {
    http_daemon *self = *stopped;
    if (self == NULL) {
        return;
    }
    http_quiesce(self);
    MHD_stop_daemon(self->daemon);
    if (self->socket >= 0) {
        close(self->socket);
    }
    watch_stop(&self->watching);
    free(self);
    *stopped = NULL;
}
