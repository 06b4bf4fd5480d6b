/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/routes_all.h"
#include "base/clock.h"
#include "context.h"

enum { SECONDS_TO_FINISH = 10, LOOKS_A_SECOND = 20 };

static pld_status out_of_memory(pld_error *error) {
    error->status = PLD_ERROR_MEMORY;
    snprintf(error->message, sizeof error->message, "out of memory for the server");
    return PLD_ERROR_MEMORY;
}

/** The engine; what it logs goes to the job at work and to the lines. */
static pld_status make_engine(struct server *server, const server_settings *settings, pld_error *error) {
    pld_engine_options options = *settings->engine;
    options.log = drawer_note_log;
    options.log_user = &server->drawer;
    options.log_level = PLD_LOG_NOTICE;
    return pld_engine_create(&options, &server->engine, error);
}

static pld_status make_shelf(struct server *server, const server_settings *settings, pld_error *error) {
    const shelf_places places = {settings->models, settings->model_count, settings->models_dir,
                                 settings->lora_dir};
    return shelf_create(&places, &server->things, error);
}

static pld_status make_jobs(struct server *server, const server_settings *settings, pld_error *error) {
    const guard_rules rules = {settings->allowed_hosts, settings->allowed_host_count, settings->api_key};
    const models_setting models = {server->engine, settings->files, server->things,
                                   settings->engine->max_memory, &server->counters};
    server->limits = (field_limits){settings->max_pixels, settings->max_steps};
    server->log = (server_log){settings->line, settings->user};
    server->guard = guard_create(&rules);
    server->store = job_store_create();
    server->queue = job_queue_create(settings->queue);
    server->models = open_models_create(&models);
    if (server->guard == NULL || server->store == NULL || server->queue == NULL || server->models == NULL) {
        return out_of_memory(error);
    }
    const drawer_setting drawing = {server->engine, server->models, server->things,    server->kept,
                                    server->queue,  server->limits, &server->counters, &server->log};
    drawer *started = drawer_start(&drawing);
    __atomic_store_n(&server->drawer, started, __ATOMIC_RELEASE);
    return started != NULL ? PLD_OK : out_of_memory(error);
}

static pld_status listen_now(struct server *server, const server_settings *settings, pld_error *error) {
    const http_setting http = {settings->host, settings->port,    &all_routes, server->guard,
                               server,         &server->counters, &server->log};
    return http_start(&http, &server->daemon, error);
}

static void tell_ready(const struct server *server, const server_settings *settings) {
    char address[300];
    const bool v6 = strchr(settings->host, ':') != NULL;
    snprintf(address, sizeof address, "http://%s%s%s:%u/", v6 ? "[" : "", settings->host, v6 ? "]" : "",
             http_port(server->daemon));
    if (settings->ready != NULL) {
        settings->ready(settings->user, address);
    }
}

static void pause_a_little(void) {
    const struct timespec time = {.tv_nsec = 1000000000L / LOOKS_A_SECOND};
    nanosleep(&time, NULL);
}

static void wait_for_end(const server_settings *settings) {
    while (__atomic_load_n(settings->stop, __ATOMIC_RELAXED) == 0) {
        pause_a_little();
    }
}

/** No new work; what waits is cancelled, and what is drawn after some seconds. */
static void end_work(struct server *server) {
    job_queue_close(server->queue, true);
    const double deadline = clock_steady() + SECONDS_TO_FINISH;
    while (drawer_is_busy(server->drawer) && clock_steady() < deadline) {
        pause_a_little();
    }
    atomic_store(&server->stopping, true);
    drawer_cancel_current(server->drawer);
}

static void free_all(struct server *server) {
    if (server->queue != NULL) {
        job_queue_close(server->queue, true);
    }
    drawer *ended = server->drawer;
    if (ended != NULL) {
        drawer_cancel_current(ended);
        drawer_join(&ended);
        __atomic_store_n(&server->drawer, NULL, __ATOMIC_RELEASE);
    }
    http_stop(&server->daemon);
    job_store_destroy(&server->store);
    job_queue_destroy(&server->queue);
    open_models_destroy(&server->models);
    guard_destroy(&server->guard);
    history_close(&server->kept);
    shelf_destroy(&server->things);
    pld_engine_destroy(&server->engine);
    free(server);
}

pld_status server_run(const server_settings *settings, pld_error *error) {
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return out_of_memory(error);
    }
    server->started = clock_calendar();
    pld_status status = make_engine(server, settings, error);
    status = status == PLD_OK ? make_shelf(server, settings, error) : status;
    status = status == PLD_OK ? history_open(settings->history_dir, &server->kept, error) : status;
    status = status == PLD_OK ? make_jobs(server, settings, error) : status;
    status = status == PLD_OK ? listen_now(server, settings, error) : status;
    if (status == PLD_OK) {
        tell_ready(server, settings);
        wait_for_end(settings);
        http_quiesce(server->daemon);
        end_work(server);
    }
    free_all(server);
    return status;
}
