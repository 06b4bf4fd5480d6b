/* SPDX-License-Identifier: Apache-2.0 */
/** Connections and how long they may take: slow headers, slow bodies and slow readers hold a place for a bounded time. */
#ifndef PLADIS_SERVER_HTTP_WATCH_H
#define PLADIS_SERVER_HTTP_WATCH_H

#include <stdbool.h>
#include <stddef.h>

typedef struct watch watch;
typedef struct watched watched;

/** What a connection is about. */
typedef enum watch_phase { WATCH_HEADERS, WATCH_BODY, WATCH_WORK, WATCH_REPLY } watch_phase;

watch *watch_start(void); /**< NULL: memory or threads are out */
void watch_stop(watch **stopped);

/** A connection began; it waits for headers. NULL: memory is out. */
watched *watch_add(watch *watching, int socket);
/** It is over; before its socket is closed. */
void watch_remove(watch *watching, watched *removed);

/** It goes on to another phase, with so many bytes to come. Work has no deadline. */
void watch_phase_begin(watch *watching, watched *changed, watch_phase phase, size_t bytes);

/** End all connections that do not work. */
void watch_end_idle(watch *watching);

#endif
