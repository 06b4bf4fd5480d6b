/* SPDX-License-Identifier: Apache-2.0 */
/** pladis serve: the door of apps/server. All else of it is its own. */
#ifndef PLADIS_SERVER_SERVER_H
#define PLADIS_SERVER_SERVER_H

#include <signal.h>
#include <stdbool.h>

#include <pladis/pladis.h>

/** What a server is to be. Texts and structs outlive it. */
typedef struct server_settings {
    const char *host;
    uint16_t port;             /**< 0: any that is free */
    const char *const *models; /**< paths [model_count], the first is the default */
    size_t model_count;
    const char *models_dir, *lora_dir; /**< NULL: none */
    const char *history_dir;           /**< NULL: nothing is kept */
    size_t queue;                      /**< jobs that may wait */
    int64_t max_pixels, max_steps;
    const char *api_key; /**< NULL: everyone may ask */
    const char *const *allowed_hosts;
    size_t allowed_host_count;
    const pld_engine_options *engine; /**< its log is replaced */
    const pld_model_options *files;   /**< vocabularies */
    /** Told a line at a time what happens, by several threads at once. */
    void (*line)(void *user, const char *line);
    /** Told the address once the server listens. May be NULL. */
    void (*ready)(void *user, const char *address);
    void *user;
    const volatile int *stop; /**< non-zero: end */
} server_settings;

/** Serve until `stop` is set; then no new work is taken, the picture at work is given some seconds, and what waits is
 *  cancelled. Gives why it could not begin, or PLD_OK at its end. */
pld_status server_run(const server_settings *settings, pld_error *error);

#endif
