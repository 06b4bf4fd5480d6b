/* SPDX-License-Identifier: Apache-2.0 */
/** Who may ask. */
#ifndef PLADIS_SERVER_HTTP_GUARD_H
#define PLADIS_SERVER_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/secrets.h"

typedef struct guard guard;

/** What is let in. Texts outlive the guard. */
typedef struct guard_rules {
    const char *const *allowed_hosts; /**< names besides addresses and localhost [allowed_host_count] */
    size_t allowed_host_count;
    const char *api_key; /**< NULL: none is needed */
} guard_rules;

guard *guard_create(const guard_rules *rules); /**< NULL: memory is out */
void guard_destroy(guard **guard);

/** Headers of a request; NULL where it has none. */
typedef struct guard_request {
    const char *method, *host, *origin, *fetch_site, *fetch_mode, *authorization, *key, *cookie;
    bool is_open; /**< the route needs no key */
} guard_request;

typedef enum guard_answer {
    GUARD_WELCOME,
    GUARD_WRONG_HOST,   /**< a name that somebody else may have pointed here (DNS rebinding) */
    GUARD_WRONG_ORIGIN, /**< a page of another origin asks */
    GUARD_WRONG_KEY
} guard_answer;

guard_answer guard_ask(guard *asked, const guard_request *request);

/** A session that stands for the key, for the page's pictures and events: the value of its cookie. False: there is none to be had. */
bool guard_open_session(guard *changed, char name[SECRET_NAME]);

bool guard_needs_key(const guard *asked);

#endif
