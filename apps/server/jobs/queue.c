/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { MOST_CLIENTS = 256, MOST_REFUSED = 2048 };

/** When a client was served last. */
typedef struct turn {
    uint64_t client, served;
} turn;

/** A request that was refused, and is expected again. */
typedef struct ticket {
    uint64_t key, client;
    double until; /* steady seconds; then it is forgotten */
} ticket;

/** A job that waits. */
typedef struct place {
    job *job;
    uint64_t client;
} place;

struct job_queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    place *places; /* [count] in the order in which they came */
    size_t count, limit, room;
    turn turns[MOST_CLIENTS]; /* [turn_count] of those that were served last */
    size_t turn_count;
    uint64_t served;           /* jobs taken so far */
    ticket line[MOST_REFUSED]; /* [line_length], those that were refused first */
    size_t line_length;
    bool closed;
};

job_queue *job_queue_create(size_t limit) {
    job_queue *made = calloc(1, sizeof *made);
    const size_t room = limit + limit / 4 + 1;
    place *places = calloc(room, sizeof *places);
    if (made == NULL || places == NULL) {
        free(made);
        free(places);
        return NULL;
    }
    *made = (job_queue){.places = places, .limit = limit, .room = room};
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->filled, NULL);
    return made;
}

void job_queue_destroy(job_queue **queue) {
    if (*queue == NULL) {
        return;
    }
    job_queue_close(*queue, true);
    pthread_cond_destroy(&(*queue)->filled);
    pthread_mutex_destroy(&(*queue)->mutex);
    free((*queue)->places);
    free(*queue);
    *queue = NULL;
}

/* ---- turns ---- */

/** A number for a client's name (FNV-1a); two of one number would share their turns, no more. */
static uint64_t number_of(const char *client) {
    uint64_t number = 0xcbf29ce484222325u;
    for (; *client != '\0'; client++) {
        number = (number ^ (unsigned char)*client) * 0x100000001b3u;
    }
    return number;
}

/** When a client was served last; 0: never, or long ago. */
static uint64_t last_turn(const job_queue *queue, uint64_t client) {
    for (size_t i = 0; i < queue->turn_count; i++) {
        if (queue->turns[i].client == client) {
            return queue->turns[i].served;
        }
    }
    return 0;
}

/** Note that a client is served now, in the place of the one that was served longest ago where there are too many. */
static void note_turn(job_queue *queue, uint64_t client) {
    size_t at = 0;
    while (at < queue->turn_count && queue->turns[at].client != client) {
        at++;
    }
    if (at == queue->turn_count && at < MOST_CLIENTS) {
        queue->turn_count++;
    } else if (at == MOST_CLIENTS) {
        at = 0;
        for (size_t i = 1; i < MOST_CLIENTS; i++) {
            at = queue->turns[i].served < queue->turns[at].served ? i : at;
        }
    }
    queue->turns[at] = (turn){client, ++queue->served};
}

/** The job whose turn it is; there is one. */
static size_t next_of(const job_queue *queue) {
    size_t best = 0;
    uint64_t best_turn = UINT64_MAX;
    for (size_t i = 0; i < queue->count; i++) {
        const uint64_t served = last_turn(queue, queue->places[i].client);
        if (served < best_turn) {
            best = i;
            best_turn = served;
        }
    }
    return best;
}

static bool has_one_waiting(const job_queue *queue, uint64_t client) {
    for (size_t i = 0; i < queue->count; i++) {
        if (queue->places[i].client == client) {
            return true;
        }
    }
    return false;
}

static void remove_at(job_queue *queue, size_t at) {
    memmove(queue->places + at, queue->places + at + 1, (queue->count - at - 1) * sizeof *queue->places);
    queue->count--;
}

/* ---- in and out ---- */

/** Where a request stands in the line of those that were refused; behind all of them if it is not there. */
static size_t place_in_line(const job_queue *queue, uint64_t key) {
    size_t at = 0;
    while (at < queue->line_length && queue->line[at].key != key) {
        at++;
    }
    return at;
}

static void leave_line(job_queue *queue, size_t at) {
    memmove(queue->line + at, queue->line + at + 1, (queue->line_length - at - 1) * sizeof *queue->line);
    queue->line_length--;
}

static void forget_late(job_queue *queue) {
    const double now = clock_steady();
    for (size_t i = queue->line_length; i-- > 0;) {
        if (queue->line[i].until < now) {
            leave_line(queue, i);
        }
    }
}

/** How many of the first `end` of the line belong to clients that have none waiting. */
static size_t newcomers_before(const job_queue *queue, size_t end) {
    size_t count = 0;
    for (size_t i = 0; i < end; i++) {
        count += !has_one_waiting(queue, queue->line[i].client);
    }
    return count;
}

/** Whether there is a place to which nobody before in the line has a claim: one of all, or one of those that are kept for
 *  newcomers. */
static bool has_place(const job_queue *queue, uint64_t client, size_t at) {
    if (queue->count < queue->limit && at < queue->limit - queue->count) {
        return true;
    }
    const size_t used = queue->count > queue->limit ? queue->count : queue->limit;
    return !has_one_waiting(queue, client) && newcomers_before(queue, at) < queue->room - used;
}

/** Whether a request may wait now. Else it stands in the line. */
static bool is_admitted(job_queue *queue, const job *added, uint64_t client, double patience) {
    forget_late(queue);
    const uint64_t key = added->request.retry_key;
    const size_t at = place_in_line(queue, key);
    const bool stands = at < queue->line_length, admitted = has_place(queue, client, at);
    if (admitted && stands) {
        leave_line(queue, at);
    } else if (!admitted && (stands || queue->line_length < MOST_REFUSED)) {
        queue->line[at] = (ticket){key, client, clock_steady() + patience};
        queue->line_length += !stands;
    }
    return admitted;
}

queue_answer job_queue_add(job_queue *queue, job *added, double patience) {
    const uint64_t client = number_of(added->request.client);
    pthread_mutex_lock(&queue->mutex);
    const queue_answer answer = queue->closed                                 ? QUEUE_CLOSED
                                : is_admitted(queue, added, client, patience) ? QUEUE_TAKEN
                                                                              : QUEUE_FULL;
    if (answer == QUEUE_TAKEN) {
        queue->places[queue->count++] = (place){job_hold(added), client};
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->mutex);
    return answer;
}

job *job_queue_take(job_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->closed) {
        pthread_cond_wait(&queue->filled, &queue->mutex);
    }
    job *taken = NULL;
    if (queue->count > 0) {
        const size_t at = next_of(queue);
        taken = queue->places[at].job;
        note_turn(queue, queue->places[at].client);
        remove_at(queue, at);
    }
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

void job_queue_cancel(job_queue *queue, job *cancelled) {
    bool waited = false;
    job_cancel(cancelled);
    pthread_mutex_lock(&queue->mutex);
    for (size_t i = 0; !waited && i < queue->count; i++) {
        if (queue->places[i].job == cancelled) {
            remove_at(queue, i);
            waited = true;
        }
    }
    pthread_mutex_unlock(&queue->mutex);
    if (waited) {
        job *of_queue = cancelled;
        job_end(cancelled, JOB_CANCELLED, NULL);
        job_release(&of_queue);
    }
}

/** Jobs are taken from a copy of the queue, until it is this one's turn. The mutex is held. */
static size_t place_in(job_queue *copy, const job *asked) {
    for (size_t taken = 1; copy->count > 0; taken++) {
        const size_t at = next_of(copy);
        if (copy->places[at].job == asked) {
            return taken;
        }
        note_turn(copy, copy->places[at].client);
        remove_at(copy, at);
    }
    return 0;
}

size_t job_queue_place(job_queue *queue, const job *asked) {
    size_t found = 0;
    job_queue *copy = malloc(sizeof *copy);
    pthread_mutex_lock(&queue->mutex);
    place *places = calloc(queue->room, sizeof *places);
    if (copy != NULL && places != NULL) {
        *copy = *queue;
        copy->places = places;
        memcpy(places, queue->places, queue->count * sizeof *places);
        found = place_in(copy, asked);
    }
    pthread_mutex_unlock(&queue->mutex);
    free(copy);
    free(places);
    return found;
}

size_t job_queue_length(job_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    const size_t count = queue->count;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

void job_queue_close(job_queue *queue, bool drop) {
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    while (drop && queue->count > 0) {
        job *dropped = queue->places[--queue->count].job;
        job_cancel(dropped);
        job_end(dropped, JOB_CANCELLED, NULL);
        job_release(&dropped);
    }
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->mutex);
}
