/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void job_request_free(job_request *request) {
    pld_options_destroy(&request->options);
    free(request->init_image.bytes);
    free(request->mask.bytes);
    free(request->init_noise.bytes);
    free(request->prompt_embeds.bytes);
    *request = (job_request){0};
}

job *job_create(job_request *request) {
    job *made = calloc(1, sizeof *made);
    if (made == NULL || !secret_name(made->id)) {
        free(made);
        return NULL;
    }
    made->request = *request;
    *request = (job_request){0};
    atomic_init(&made->references, 1);
    pthread_mutex_init(&made->mutex, NULL);
    clock_condition_init(&made->changed);
    made->progress = (job_progress){
        .version = 1, .images = made->request.count, .seconds_left = -1, .queued_at = clock_calendar()};
    return made;
}

job *job_hold(job *held) {
    atomic_fetch_add(&held->references, 1);
    return held;
}

static void free_all(job *freed) {
    for (size_t i = 0; i < freed->progress.picture_count; i++) {
        pld_bytes_free(&freed->pictures[i].png.bytes);
        free(freed->pictures[i].parameters);
        free(freed->pictures[i].settings);
    }
    for (size_t i = 0; i < freed->progress.map_count; i++) {
        free(freed->maps[i].word);
        pld_bytes_free(&freed->maps[i].dense.bytes);
        pld_bytes_free(&freed->maps[i].sparse.bytes);
    }
    pld_bytes_free(&freed->preview.bytes);
    job_request_free(&freed->request);
    pthread_cond_destroy(&freed->changed);
    pthread_mutex_destroy(&freed->mutex);
    free(freed);
}

void job_release(job **held) {
    job *released = *held;
    *held = NULL;
    if (released != NULL && atomic_fetch_sub(&released->references, 1) == 1) {
        free_all(released);
    }
}

job_progress job_look(job *looked_at) {
    pthread_mutex_lock(&looked_at->mutex);
    job_progress progress = looked_at->progress;
    pthread_mutex_unlock(&looked_at->mutex);
    return progress;
}

job_progress job_wait(job *awaited, unsigned version, double seconds) {
    pthread_mutex_lock(&awaited->mutex);
    if (awaited->progress.version == version) {
        clock_wait(&awaited->changed, &awaited->mutex, seconds);
    }
    job_progress progress = awaited->progress;
    pthread_mutex_unlock(&awaited->mutex);
    return progress;
}

bool job_is_over(job_state state) {
    return state == JOB_DONE || state == JOB_FAILED || state == JOB_CANCELLED;
}

const char *job_state_name(job_state state) {
    static const char *const names[] = {"queued", "running", "done", "failed", "cancelled"};
    return names[state];
}

void job_cancel(job *cancelled) {
    __atomic_store_n(&cancelled->cancel, 1, __ATOMIC_RELAXED);
}

bool job_is_cancelled(const job *asked) {
    return __atomic_load_n(&asked->cancel, __ATOMIC_RELAXED) != 0;
}

/** Let those who wait look; the mutex is held, and given back. */
static void tell(job *changed) {
    changed->progress.version++;
    pthread_cond_broadcast(&changed->changed);
    pthread_mutex_unlock(&changed->mutex);
}

void job_begin(job *begun) {
    pthread_mutex_lock(&begun->mutex);
    begun->progress.state = JOB_RUNNING;
    begun->progress.started_at = clock_calendar();
    tell(begun);
}

void job_note_progress(job *noted, const pld_progress *progress) {
    pthread_mutex_lock(&noted->mutex);
    job_progress *own = &noted->progress;
    snprintf(own->stage, sizeof own->stage, "%s", progress->stage);
    own->image = progress->image;
    own->images = progress->images;
    own->step = progress->step;
    own->steps = progress->steps;
    own->seconds_left = progress->seconds_left;
    tell(noted);
}

void job_note_preview(job *noted, job_bytes png) {
    pthread_mutex_lock(&noted->mutex);
    pld_bytes_free(&noted->preview.bytes);
    noted->preview = png;
    noted->progress.preview_version++;
    tell(noted);
}

void job_note_picture(job *noted, const job_picture *picture) {
    pthread_mutex_lock(&noted->mutex);
    noted->pictures[noted->progress.picture_count++] = *picture;
    tell(noted);
}

void job_note_map(job *noted, const job_map *map) {
    pthread_mutex_lock(&noted->mutex);
    noted->maps[noted->progress.map_count++] = *map;
    tell(noted);
}

void job_warn(job *noted, const char *message) {
    pthread_mutex_lock(&noted->mutex);
    snprintf(noted->progress.warning, sizeof noted->progress.warning, "%s", message);
    tell(noted);
}

void job_end(job *ended, job_state state, const pld_error *error) {
    pthread_mutex_lock(&ended->mutex);
    ended->progress.state = state;
    ended->progress.ended_at = clock_calendar();
    ended->progress.seconds_left = 0;
    if (error != NULL) {
        ended->progress.status = error->status;
        snprintf(ended->progress.message, sizeof ended->progress.message, "%s", error->message);
    }
    /* What was sent with it is not needed any more, and may be large. */
    job_bytes *const sent[] = {&ended->request.init_image, &ended->request.mask, &ended->request.init_noise,
                               &ended->request.prompt_embeds};
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        free(sent[i]->bytes);
        *sent[i] = (job_bytes){0};
    }
    tell(ended);
}

job_bytes job_copy_preview(job *looked_at) {
    job_bytes copy = {0};
    pthread_mutex_lock(&looked_at->mutex);
    if (looked_at->preview.size > 0) {
        copy.bytes = malloc(looked_at->preview.size);
    }
    if (copy.bytes != NULL) {
        memcpy(copy.bytes, looked_at->preview.bytes, looked_at->preview.size);
        copy.size = looked_at->preview.size;
    }
    pthread_mutex_unlock(&looked_at->mutex);
    return copy;
}

size_t job_result_bytes(job *looked_at) {
    pthread_mutex_lock(&looked_at->mutex);
    size_t bytes = looked_at->request.init_image.size + looked_at->request.mask.size;
    for (size_t i = 0; i < looked_at->progress.picture_count; i++) {
        bytes += looked_at->pictures[i].png.size;
    }
    for (size_t i = 0; i < looked_at->progress.map_count; i++) {
        bytes += looked_at->maps[i].dense.size + looked_at->maps[i].sparse.size;
    }
    pthread_mutex_unlock(&looked_at->mutex);
    return bytes;
}
