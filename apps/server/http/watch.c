/* SPDX-License-Identifier: Apache-2.0 */
#include "http/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { SLOWEST = 20000 /* bytes a second */ };

/** Seconds that a phase may take, and more for what it carries; 0: as long as it needs. */
static const double seconds_of[] = {
    [WATCH_HEADERS] = 30, [WATCH_BODY] = 30, [WATCH_WORK] = 0, [WATCH_REPLY] = 60};

struct watched {
    int socket;
    watch_phase phase;
    double deadline; /* 0: none */
    watched *before, *behind;
};

struct watch {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t stop;
    watched *first;
    bool stopping;
};

/** A socket is closed only after its connection was removed, so it is still the one that is meant. */
static void end_late(watch *self) {
    const double now = clock_steady();
    for (watched *at = self->first; at != NULL; at = at->behind) {
        if (at->deadline > 0 && now > at->deadline) {
            shutdown(at->socket, SHUT_RDWR);
            at->deadline = 0;
        }
    }
}

static void *look_on(void *context) {
    watch *self = context;
    pthread_mutex_lock(&self->mutex);
    while (!self->stopping) {
        clock_wait(&self->stop, &self->mutex, 1);
        end_late(self);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

watch *watch_start(void) {
    watch *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    pthread_mutex_init(&made->mutex, NULL);
    clock_condition_init(&made->stop);
    if (pthread_create(&made->thread, NULL, look_on, made) != 0) {
        free(made);
        return NULL;
    }
    return made;
}

void watch_stop(watch **stopped) {
    watch *self = *stopped;
    if (self == NULL) {
        return;
    }
    pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    pthread_cond_signal(&self->stop);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->stop);
    pthread_mutex_destroy(&self->mutex);
    free(self);
    *stopped = NULL;
}

watched *watch_add(watch *self, int socket) {
    watched *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&self->mutex);
    *made = (watched){
        .socket = socket, .behind = self->first, .deadline = clock_steady() + seconds_of[WATCH_HEADERS]};
    if (self->first != NULL) {
        self->first->before = made;
    }
    self->first = made;
    pthread_mutex_unlock(&self->mutex);
    return made;
}

void watch_remove(watch *self, watched *removed) {
    if (removed == NULL) {
        return;
    }
    pthread_mutex_lock(&self->mutex);
    if (removed->before != NULL) {
        removed->before->behind = removed->behind;
    } else {
        self->first = removed->behind;
    }
    if (removed->behind != NULL) {
        removed->behind->before = removed->before;
    }
    pthread_mutex_unlock(&self->mutex);
    free(removed);
}

void watch_phase_begin(watch *self, watched *changed, watch_phase phase, size_t bytes) {
    if (changed == NULL) {
        return;
    }
    pthread_mutex_lock(&self->mutex);
    changed->phase = phase;
    changed->deadline =
        seconds_of[phase] > 0 ? clock_steady() + seconds_of[phase] + (double)bytes / SLOWEST : 0;
    pthread_mutex_unlock(&self->mutex);
}

void watch_end_idle(watch *self) {
    pthread_mutex_lock(&self->mutex);
    for (watched *at = self->first; at != NULL; at = at->behind) {
        if (at->phase == WATCH_HEADERS) {
            shutdown(at->socket, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&self->mutex);
}
