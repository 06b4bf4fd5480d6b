/* SPDX-License-Identifier: Apache-2.0 */
#include "http/guard.h"

#include <arpa/inet.h>
#include <nettle/base64.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_SESSIONS = 64, LONGEST_HOST = 256 };

struct guard {
    guard_rules rules;
    pthread_mutex_t mutex; /* guards the sessions, the oldest of which is replaced next */
    char sessions[MOST_SESSIONS][SECRET_NAME];
    size_t next_session;
};

guard *guard_create(const guard_rules *rules) {
    guard *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->rules = *rules;
        pthread_mutex_init(&made->mutex, NULL);
    }
    return made;
}

void guard_destroy(guard **freed) {
    if (*freed != NULL) {
        pthread_mutex_destroy(&(*freed)->mutex);
        free(*freed);
        *freed = NULL;
    }
}

bool guard_needs_key(const guard *asked) {
    return asked->rules.api_key != NULL;
}

/* ---- names ---- */

/** The name of a host without its port and without the brackets of an IPv6 address. False: it is none. */
static bool host_name(const char *host, char name[LONGEST_HOST]) {
    const char *begin = host[0] == '[' ? host + 1 : host;
    const size_t length = host[0] == '[' ? strcspn(begin, "]") : strcspn(begin, ":");
    if (length == 0 || length >= LONGEST_HOST) {
        return false;
    }
    memcpy(name, begin, length);
    name[length] = '\0';
    return true;
}

/** An address cannot be pointed elsewhere, as a name can. */
static bool is_address(const char *name) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool is_allowed_name(const guard *asked, const char *name) {
    bool allowed = strcasecmp(name, "localhost") == 0 || is_address(name);
    for (size_t i = 0; i < asked->rules.allowed_host_count; i++) {
        char other[LONGEST_HOST];
        allowed =
            allowed || (host_name(asked->rules.allowed_hosts[i], other) && strcasecmp(name, other) == 0);
    }
    return allowed;
}

static bool is_allowed_host(const guard *asked, const char *host) {
    char name[LONGEST_HOST];
    return host != NULL && host_name(host, name) && is_allowed_name(asked, name);
}

/** The page's own origin, or one whose name was allowed, as that of a proxy. */
static bool is_allowed_origin(const guard *asked, const char *origin, const char *host) {
    const char *rest = strncmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncmp(origin, "https://", 8) == 0 ? origin + 8
                                                             : NULL;
    char name[LONGEST_HOST], own[LONGEST_HOST];
    if (rest == NULL || !host_name(rest, name)) {
        return false; /* "null", too */
    }
    if (strcasecmp(rest, host) == 0) {
        return true;
    }
    for (size_t i = 0; i < asked->rules.allowed_host_count; i++) {
        if (host_name(asked->rules.allowed_hosts[i], own) && strcasecmp(name, own) == 0) {
            return true;
        }
    }
    return false;
}

/** A browser says where a request comes from. Following a link to the page is no harm. */
static bool is_allowed_fetch(const guard_request *request) {
    const bool foreign = request->fetch_site != NULL && (strcmp(request->fetch_site, "cross-site") == 0 ||
                                                         strcmp(request->fetch_site, "same-site") == 0);
    const bool link = request->fetch_mode != NULL && strcmp(request->fetch_mode, "navigate") == 0 &&
                      strcmp(request->method, "GET") == 0 && request->is_open;
    return !foreign || link || request->origin != NULL; /* an origin was looked at by itself */
}

/* ---- keys ---- */

static bool is_key(const guard *asked, const char *given, size_t length) {
    return secret_equal(given, length, asked->rules.api_key);
}

/** "Basic" of any user, whose password is the key: as clients of A1111 send it. */
static bool is_basic_key(const guard *asked, const char *encoded) {
    struct base64_decode_ctx context;
    uint8_t plain[512];
    size_t size = sizeof plain, length = strlen(encoded);
    base64_decode_init(&context);
    if (BASE64_DECODE_LENGTH(length) >= sizeof plain ||
        !base64_decode_update(&context, &size, plain, length, encoded) || !base64_decode_final(&context)) {
        return false;
    }
    const char *colon = memchr(plain, ':', size);
    const size_t begin = colon != NULL ? (size_t)(colon + 1 - (const char *)plain) : 0;
    return colon != NULL && is_key(asked, colon + 1, size - begin);
}

static bool is_session(guard *asked, const char *cookie) {
    const char *at = strstr(cookie, "pladis-session=");
    bool found = false;
    if (at == NULL || (at != cookie && at[-1] != ' ' && at[-1] != ';')) {
        return false;
    }
    at += strlen("pladis-session=");
    const size_t length = strcspn(at, "; ");
    pthread_mutex_lock(&asked->mutex);
    for (size_t i = 0; i < MOST_SESSIONS; i++) {
        const char *session = asked->sessions[i];
        found |= session[0] != '\0' && secret_equal(at, length, session);
    }
    pthread_mutex_unlock(&asked->mutex);
    return found;
}

static bool has_key(guard *asked, const guard_request *request) {
    const char *authorization = request->authorization;
    if (asked->rules.api_key == NULL || request->is_open) {
        return true;
    }
    if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0) {
        return is_key(asked, authorization + 7, strlen(authorization + 7));
    }
    if (authorization != NULL && strncasecmp(authorization, "Basic ", 6) == 0) {
        return is_basic_key(asked, authorization + 6);
    }
    if (request->key != NULL) {
        return is_key(asked, request->key, strlen(request->key));
    }
    return request->cookie != NULL && is_session(asked, request->cookie);
}

guard_answer guard_ask(guard *asked, const guard_request *request) {
    return !is_allowed_host(asked, request->host) ? GUARD_WRONG_HOST
           : !is_allowed_fetch(request) ||
                   (request->origin != NULL && !is_allowed_origin(asked, request->origin, request->host))
               ? GUARD_WRONG_ORIGIN
           : !has_key(asked, request) ? GUARD_WRONG_KEY
                                      : GUARD_WELCOME;
}

bool guard_open_session(guard *changed, char name[SECRET_NAME]) {
    if (!secret_name(name)) {
        return false;
    }
    pthread_mutex_lock(&changed->mutex);
    memcpy(changed->sessions[changed->next_session], name, SECRET_NAME);
    changed->next_session = (changed->next_session + 1) % MOST_SESSIONS;
    pthread_mutex_unlock(&changed->mutex);
    return true;
}
