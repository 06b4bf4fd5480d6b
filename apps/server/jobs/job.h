/* SPDX-License-Identifier: Apache-2.0 */
/** A job: pictures that somebody wants, from the request to the last picture. Several threads look at one: the worker that draws
 *  it, the connections that wait for it, and those that ask how far it is. Each holds a reference. */
#ifndef PLADIS_SERVER_JOBS_JOB_H
#define PLADIS_SERVER_JOBS_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <pladis/options.h>

#include "base/secrets.h"

enum {
    JOB_MOST_PICTURES = 16,
    JOB_MOST_MAPS = 32,
    JOB_CLIENT = 128,
    JOB_MODEL = 256,
    JOB_STAGE = 16,
    JOB_HISTORY_NAME = 64
};

typedef enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_CANCELLED } job_state;

/** Bytes of a file that came with a request, or that goes with a reply. */
typedef struct job_bytes {
    uint8_t *bytes;
    size_t size;
} job_bytes;

/** What was asked for; fixed from the beginning. */
typedef struct job_request {
    pld_options *options;       /**< of `generate`; LoRAs by their names */
    char model[JOB_MODEL];      /**< a name of the shelf */
    char client[JOB_CLIENT];    /**< who asks, for fairness alone */
    uint64_t retry_key;         /**< by which a request that was refused is known when it is sent again */
    int64_t seed;               /**< of the first picture */
    int count;                  /**< pictures, 1 … JOB_MOST_PICTURES */
    bool unkept;                /**< its pictures are not for the history */
    job_bytes init_image, mask; /**< PNG files, or empty */
    job_bytes init_noise, prompt_embeds; /**< safetensors files, or empty */
} job_request;

/** One finished picture. */
typedef struct job_picture {
    job_bytes png;
    int64_t seed;
    int width, height;
    char *parameters;                    /**< as A1111 writes it */
    char *settings;                      /**< JSON object that pld_options_load takes */
    char history_name[JOB_HISTORY_NAME]; /**< "": it is not kept */
} job_picture;

/** Where a word acts: grey PNG files, of dense and of sparse attention, on one scale. */
typedef struct job_map {
    char *word;
    int tokens;
    job_bytes dense, sparse;
    double most; /**< what white means: the largest share */
} job_map;

/** How far a job is: a copy, for those who look. */
typedef struct job_progress {
    job_state state;
    unsigned version; /**< grows with every change */
    char stage[JOB_STAGE];
    int image, images, step, steps;
    double seconds_left;                    /**< negative: unknown */
    double queued_at, started_at, ended_at; /**< calendar; 0: not yet */
    unsigned preview_version;
    pld_status status;
    char message[PLD_ERROR_MESSAGE_SIZE]; /**< why it failed, or "" */
    char warning[PLD_ERROR_MESSAGE_SIZE]; /**< what went wrong beside it, or "" */
    size_t picture_count, map_count;
} job_progress;

typedef struct job {
    char id[SECRET_NAME];
    job_request request;
    int cancel;                /**< what the library looks at; atomically */
    atomic_bool wants_preview; /**< somebody looks at previews */
    atomic_bool skip;          /**< the picture at work is not wanted, those behind it are */
    atomic_int references;
    pthread_mutex_t mutex; /**< guards all below */
    pthread_cond_t changed;
    job_progress progress;
    job_bytes preview; /**< PNG */
    job_picture pictures[JOB_MOST_PICTURES];
    job_map maps[JOB_MOST_MAPS];
} job;

/** A queued job that takes over all of `request`; NULL: memory or random numbers are out, and `request` is as before. */
job *job_create(job_request *request);
job *job_hold(job *held);
void job_release(job **held);

void job_request_free(job_request *request);

job_progress job_look(job *looked_at);

/** Wait until the progress differs from `version`, so many seconds at most. */
job_progress job_wait(job *awaited, unsigned version, double seconds);

bool job_is_over(job_state state);
const char *job_state_name(job_state state);

/** Ask a job to end soon. One that waits in a queue is for the queue to end. */
void job_cancel(job *cancelled);
bool job_is_cancelled(const job *asked);

/* What the worker tells. */
void job_begin(job *begun);
void job_note_progress(job *noted, const pld_progress *progress);
void job_note_preview(job *noted, job_bytes png);              /**< takes the bytes over */
void job_note_picture(job *noted, const job_picture *picture); /**< takes its memory over */
void job_note_map(job *noted, const job_map *map);             /**< takes its memory over */
void job_warn(job *noted, const char *message);
void job_end(job *ended, job_state state, const pld_error *error);

/** A copy of the newest preview; empty where there is none, or memory is out. */
job_bytes job_copy_preview(job *looked_at);

/** Bytes that a job's results hold. */
size_t job_result_bytes(job *looked_at);

#endif
