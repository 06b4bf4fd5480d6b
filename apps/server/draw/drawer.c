/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/drawer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "draw/drawing.h"

struct drawer {
    drawer_setting setting;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards `current` */
    job *current;          /* NULL: nothing is drawn */
};

static void set_current(drawer *self, job *current) {
    pthread_mutex_lock(&self->mutex);
    self->current = current;
    pthread_mutex_unlock(&self->mutex);
}

/** Draw a job to its end, whatever that is. */
static void run_job(drawer *self, job *taken) {
    pld_error error = {0};
    const double begin = clock_steady();
    server_counters *counters = self->setting.counters;
    job_begin(taken);
    const pld_status status =
        job_is_cancelled(taken) ? PLD_ERROR_CANCELLED : drawing_run(&self->setting, taken, &error);
    const bool cancelled = status == PLD_ERROR_CANCELLED || (status != PLD_OK && job_is_cancelled(taken));
    const job_state state = cancelled ? JOB_CANCELLED : status == PLD_OK ? JOB_DONE : JOB_FAILED;
    atomic_fetch_add(state == JOB_DONE     ? &counters->jobs_done
                     : state == JOB_FAILED ? &counters->jobs_failed
                                           : &counters->jobs_cancelled,
                     1);
    atomic_fetch_add(&counters->drawing_milliseconds, (unsigned long long)(1000 * (clock_steady() - begin)));
    if (state == JOB_FAILED) {
        log_line(self->setting.log, "job %.8s failed: %s", taken->id, error.message);
    }
    set_current(self, NULL);
    job_end(taken, state, state == JOB_FAILED ? &error : NULL);
}

static void *draw_on(void *context) {
    drawer *self = context;
    for (job *taken = job_queue_take(self->setting.queue); taken != NULL;
         taken = job_queue_take(self->setting.queue)) {
        set_current(self, taken);
        run_job(self, taken);
        job_release(&taken);
    }
    open_models_close(self->setting.models);
    return NULL;
}

drawer *drawer_start(const drawer_setting *setting) {
    drawer *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    self->setting = *setting;
    pthread_mutex_init(&self->mutex, NULL);
    if (pthread_create(&self->thread, NULL, draw_on, self) != 0) {
        pthread_mutex_destroy(&self->mutex);
        free(self);
        return NULL;
    }
    return self;
}

void drawer_note_log(void *user, pld_log_level level, const char *message) {
    drawer *const *kept = user;
    drawer *self = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
    if (self == NULL || level > PLD_LOG_NOTICE) {
        return;
    }
    pthread_mutex_lock(&self->mutex);
    if (self->current != NULL && level == PLD_LOG_WARNING) {
        job_warn(self->current, message);
    }
    pthread_mutex_unlock(&self->mutex);
    if (level == PLD_LOG_NOTICE) {
        log_line(self->setting.log, "%s", message);
    }
}

void drawer_cancel_current(drawer *asked) {
    pthread_mutex_lock(&asked->mutex);
    if (asked->current != NULL) {
        job_cancel(asked->current);
    }
    pthread_mutex_unlock(&asked->mutex);
}

void drawer_skip_picture(drawer *asked) {
    pthread_mutex_lock(&asked->mutex);
    if (asked->current != NULL) {
        atomic_store(&asked->current->skip, true);
    }
    pthread_mutex_unlock(&asked->mutex);
}

bool drawer_is_busy(drawer *asked) {
    pthread_mutex_lock(&asked->mutex);
    const bool busy = asked->current != NULL;
    pthread_mutex_unlock(&asked->mutex);
    return busy;
}

void drawer_join(drawer **joined) {
    if (*joined != NULL) {
        pthread_join((*joined)->thread, NULL);
        pthread_mutex_destroy(&(*joined)->mutex);
        free(*joined);
        *joined = NULL;
    }
}
