/* SPDX-License-Identifier: Apache-2.0 */
/** What the interfaces work with. Made by server.c; every room may know of it. */
#ifndef PLADIS_SERVER_CONTEXT_H
#define PLADIS_SERVER_CONTEXT_H

#include <stdatomic.h>

#include "draw/drawer.h"
#include "history/history.h"
#include "http/daemon.h"
#include "jobs/store.h"

struct server {
    pld_engine *engine;
    shelf *things;
    history *kept;
    job_store *store;
    job_queue *queue;
    open_models *models;
    drawer *drawer;
    guard *guard;
    http_daemon *daemon;
    server_counters counters;
    server_log log;
    field_limits limits;
    atomic_bool stopping;
    double started; /* calendar */
};

#endif
