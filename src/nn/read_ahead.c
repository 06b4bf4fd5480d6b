/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "nn/read_ahead.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/memory.h"

enum {
    STACK_BYTES = 1 << 20,        /* as that of the pool's threads: the same code runs on it */
    GLANCE_NANOSECONDS = 50000000 /* between two looks at whether the run is cancelled */
};

struct pld_read_ahead {
    pld_weight_backend backend;
    char *memory; /* [capacity] */
    size_t capacity;
    double waited;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work;   /* there is something to make, or all is over: the thread waits for it */
    pthread_cond_t moved;  /* a stretch was made, or could not be: takers wait for it */
    pthread_t thread;
    pid_t process; /* which the thread belongs to: a child of fork() has none */
    bool has_thread, stopping, making;
    pld_stretches *client; /* NULL: none */
    /* Stretches of the client so far, over all of its runs: number n is streamed stretch n modulo their count. */
    size_t made, taken, given;
    size_t next;        /* place in the memory behind the last one made */
    fenv_t environment; /* the client's rounding: what is made is the same whoever makes it */
    pld_status status;
    pld_error error;
};

/* ---- places ---- */

static pld_stretch *stretch_at(const pld_read_ahead *r, size_t number) {
    return &r->client->items[r->client->streamed[number % r->client->streamed_count]];
}

/** Where the next stretch can lie, if there is room: behind the last one, else at the beginning, and never over one that was not
 * given back. */
static bool find_place(const pld_read_ahead *r, size_t *place) {
    const size_t outstanding = r->made - r->given;
    if (!r->client || r->client->streamed_count == 0 || outstanding >= r->client->streamed_count) {
        return false;
    }
    const size_t bytes = pld_stretch_bytes(stretch_at(r, r->made));
    if (outstanding == 0) {
        *place = 0;
        return bytes <= r->capacity;
    }
    const size_t oldest = stretch_at(r, r->given)->offset;
    if (r->next <= oldest) { /* the last one lies before the oldest */
        *place = r->next;
        return bytes <= oldest - r->next;
    }
    *place = bytes <= r->capacity - r->next ? r->next : 0;
    return *place == r->next || bytes <= oldest;
}

/* ---- making ---- */

/** Make the next stretch at `place`; the mutex is held before and after, not in between. */
static void make_next(pld_read_ahead *r, size_t place) {
    pld_stretch *stretch = stretch_at(r, r->made);
    const pld_stretch *following = stretch_at(r, r->made + 1);
    pld_error error = {0};
    stretch->offset = place;
    r->making = true;
    const fenv_t environment = r->environment;
    pthread_mutex_unlock(&r->mutex);
    fesetenv(&environment);
    pld_parameter_expect(following->parameter, &following->packing);
    const pld_status status =
        pld_parameter_make(stretch->parameter, &stretch->packing, r->memory + place, &error);
    pthread_mutex_lock(&r->mutex);
    r->making = false;
    if (status == PLD_OK) {
        r->made++;
        r->next = place + pld_stretch_bytes(stretch);
    } else {
        r->status = status;
        r->error = error;
    }
    pthread_cond_broadcast(&r->moved);
}

static void *read_on(void *context) {
    pld_read_ahead *r = context;
    pthread_mutex_lock(&r->mutex);
    while (!r->stopping) {
        size_t place = 0;
        if (r->status == PLD_OK && find_place(r, &place)) {
            make_next(r, place);
        } else {
            pthread_cond_wait(&r->work, &r->mutex);
        }
    }
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/** The mutex is held. Where there can be no thread takers do the work. */
static void start_thread(pld_read_ahead *r) {
    pthread_attr_t attributes;
    sigset_t all, former;
    if (r->has_thread || pthread_attr_init(&attributes) != 0) {
        return;
    }
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_SETMASK, &all, &former);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    r->has_thread = pthread_create(&r->thread, &attributes, read_on, r) == 0;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
}

/** Work for nobody; the mutex is held, and let go while a stretch is being made. */
static void stop_client(pld_read_ahead *r) {
    r->client = NULL;
    while (r->making) {
        pthread_cond_wait(&r->moved, &r->mutex);
    }
    r->made = r->taken = r->given = r->next = 0;
    r->status = PLD_OK;
}

/* ---- life ---- */

static void init_locks(pld_read_ahead *r) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->moved, &attributes);
    pthread_condattr_destroy(&attributes);
    r->process = getpid();
}

/** In a child of fork() the thread is not there, and what it was about is not known. */
static void begin_anew_after_fork(pld_read_ahead *r) {
    if (r->process != getpid()) {
        init_locks(r);
        r->has_thread = r->making = r->stopping = false;
        r->client = NULL;
    }
}

pld_status pld_read_ahead_create(const pld_weight_backend *backend, pld_read_ahead **read_ahead,
                                 pld_error *error) {
    pld_read_ahead *made = pld_allocate(1, sizeof *made);
    *read_ahead = made;
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "read-ahead");
    }
    made->backend = *backend;
    init_locks(made);
    return PLD_OK;
}

void pld_read_ahead_rest(pld_read_ahead *r) {
    begin_anew_after_fork(r);
    pthread_mutex_lock(&r->mutex);
    stop_client(r);
    pthread_mutex_unlock(&r->mutex);
    r->backend.functions->free(r->backend.device, r->memory);
    r->memory = NULL;
    r->capacity = 0;
}

void pld_read_ahead_destroy(pld_read_ahead **read_ahead) {
    pld_read_ahead *r = *read_ahead;
    if (!r) {
        return;
    }
    pld_read_ahead_rest(r);
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_broadcast(&r->work);
    pthread_mutex_unlock(&r->mutex);
    if (r->has_thread) {
        pthread_join(r->thread, NULL);
    }
    pthread_mutex_destroy(&r->mutex);
    pthread_cond_destroy(&r->work);
    pthread_cond_destroy(&r->moved);
    pld_free(r);
    *read_ahead = NULL;
}

pld_status pld_read_ahead_reserve(pld_read_ahead *r, size_t bytes, pld_error *error) {
    if (bytes <= r->capacity) {
        return PLD_OK;
    }
    pld_read_ahead_rest(r);
    r->memory = r->backend.functions->allocate(r->backend.device, bytes);
    if (!r->memory) {
        return pld_fail_memory(error, bytes, "weights on their way from the file");
    }
    r->capacity = bytes;
    memset(r->memory, 0, bytes);
    return PLD_OK;
}

size_t pld_read_ahead_bytes(const pld_read_ahead *r) {
    return r->capacity;
}

double pld_read_ahead_waited(const pld_read_ahead *r) {
    return r->waited;
}

/* ---- a run ---- */

pld_status pld_read_ahead_begin(pld_read_ahead *r, pld_stretches *stretches, pld_error *error) {
    begin_anew_after_fork(r);
    if (stretches->streamed_count == 0) {
        return PLD_OK;
    }
    if (r->capacity < stretches->least) {
        PLD_TRY(pld_read_ahead_reserve(r, stretches->ahead, error));
    }
    pthread_mutex_lock(&r->mutex);
    const bool goes_on = r->client == stretches && r->status == PLD_OK && r->taken == r->given &&
                         r->taken % stretches->streamed_count == 0;
    if (!goes_on) {
        stop_client(r);
        r->client = stretches;
    }
    fegetenv(&r->environment);
    start_thread(r);
    pthread_cond_signal(&r->work);
    pthread_mutex_unlock(&r->mutex);
    return PLD_OK;
}

/** Until the next stretch is made, could not be, or is no longer wanted; the mutex is held. */
static void wait_for_next(pld_read_ahead *r, const volatile int *cancel) {
    while (r->made <= r->taken && r->status == PLD_OK && !pld_cancel_requested(cancel)) {
        if (r->has_thread) {
            struct timespec until;
            clock_gettime(CLOCK_MONOTONIC, &until);
            until.tv_nsec += GLANCE_NANOSECONDS;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&r->moved, &r->mutex, &until);
        } else {
            make_next(r, 0); /* all before it were given back */
        }
    }
}

pld_status pld_read_ahead_take(pld_read_ahead *r, const volatile int *cancel, pld_error *error) {
    const double begin = pld_seconds();
    pthread_mutex_lock(&r->mutex);
    wait_for_next(r, cancel);
    r->waited += pld_seconds() - begin;
    pld_status status = r->status;
    if (r->made > r->taken) { /* what was made before something went wrong is good */
        pld_stretch *stretch = stretch_at(r, r->taken++);
        *stretch->place = (pld_packed){r->memory + stretch->offset, NULL};
        status = PLD_OK;
    } else if (status == PLD_OK) {
        status = pld_fail(error, PLD_ERROR_CANCELLED, "cancelled");
    } else if (error) {
        *error = r->error;
    }
    pthread_mutex_unlock(&r->mutex);
    return status;
}

void pld_read_ahead_give(pld_read_ahead *r) {
    pthread_mutex_lock(&r->mutex);
    if (r->given < r->taken) {
        *stretch_at(r, r->given++)->place = (pld_packed){0};
        pthread_cond_signal(&r->work);
    }
    pthread_mutex_unlock(&r->mutex);
}

void pld_read_ahead_leave(pld_read_ahead *r, const pld_stretches *stretches) {
    if (!r) {
        return;
    }
    begin_anew_after_fork(r);
    pthread_mutex_lock(&r->mutex);
    if (r->client == stretches) {
        stop_client(r);
    }
    pthread_mutex_unlock(&r->mutex);
}
