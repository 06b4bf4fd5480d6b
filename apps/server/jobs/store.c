/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { MOST_OVER = 128, SECONDS_KEPT = 600 };
static const size_t most_bytes = (size_t)192 << 20; /* of the results of jobs that are over */

struct job_store {
    pthread_mutex_t mutex;
    job **jobs; /* [count], the oldest first */
    size_t count, room;
};

job_store *job_store_create(void) {
    job_store *made = calloc(1, sizeof *made);
    if (made != NULL) {
        pthread_mutex_init(&made->mutex, NULL);
    }
    return made;
}

void job_store_destroy(job_store **store) {
    if (*store == NULL) {
        return;
    }
    for (size_t i = 0; i < (*store)->count; i++) {
        job_release(&(*store)->jobs[i]);
    }
    pthread_mutex_destroy(&(*store)->mutex);
    free((*store)->jobs);
    free(*store);
    *store = NULL;
}

/** Let go of what is over and old, and of the oldest where there is too much. The mutex is held. */
static void clean(job_store *store) {
    const double now = clock_calendar();
    size_t over = 0, bytes = 0, kept = 0;
    for (size_t i = store->count; i-- > 0;) { /* the newest first */
        const job_progress progress = job_look(store->jobs[i]);
        if (!job_is_over(progress.state)) {
            continue;
        }
        over++;
        bytes += job_result_bytes(store->jobs[i]);
        if (over > MOST_OVER || bytes > most_bytes || now - progress.ended_at > SECONDS_KEPT) {
            job_release(&store->jobs[i]);
        }
    }
    for (size_t i = 0; i < store->count; i++) {
        if (store->jobs[i] != NULL) {
            store->jobs[kept++] = store->jobs[i];
        }
    }
    store->count = kept;
}

bool job_store_add(job_store *store, job *added) {
    pthread_mutex_lock(&store->mutex);
    clean(store);
    if (store->count == store->room) {
        const size_t room = store->room > 0 ? 2 * store->room : 64;
        job **jobs = realloc(store->jobs, room * sizeof *jobs);
        store->room = jobs != NULL ? room : store->room;
        store->jobs = jobs != NULL ? jobs : store->jobs;
    }
    const bool added_now = store->count < store->room;
    if (added_now) {
        store->jobs[store->count++] = job_hold(added);
    }
    pthread_mutex_unlock(&store->mutex);
    return added_now;
}

job *job_store_find(job_store *store, const char *id) {
    job *found = NULL;
    pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < store->count && found == NULL; i++) {
        found = strcmp(store->jobs[i]->id, id) == 0 ? job_hold(store->jobs[i]) : NULL;
    }
    pthread_mutex_unlock(&store->mutex);
    return found;
}

job *job_store_current(job_store *store) {
    job *running = NULL, *waiting = NULL;
    pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < store->count && running == NULL; i++) {
        const job_state state = job_look(store->jobs[i]).state;
        running = state == JOB_RUNNING ? store->jobs[i] : NULL;
        waiting = waiting == NULL && state == JOB_QUEUED ? store->jobs[i] : waiting;
    }
    job *current = running != NULL ? running : waiting;
    current = current != NULL ? job_hold(current) : NULL;
    pthread_mutex_unlock(&store->mutex);
    return current;
}

void job_store_each(job_store *store, void (*visit)(void *user, job *visited), void *user) {
    pthread_mutex_lock(&store->mutex);
    for (size_t i = 0; i < store->count; i++) {
        visit(user, store->jobs[i]);
    }
    pthread_mutex_unlock(&store->mutex);
}
