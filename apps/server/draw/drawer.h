/* SPDX-License-Identifier: Apache-2.0 */
/** Draws jobs, one after the other, on a thread of its own. A job that fails is a message. */
#ifndef PLADIS_SERVER_DRAW_DRAWER_H
#define PLADIS_SERVER_DRAW_DRAWER_H

#include "base/log.h"
#include "draw/models.h"
#include "fields/fields.h"
#include "history/history.h"
#include "jobs/queue.h"

/** What the drawer works with; all outlives it. */
typedef struct drawer_setting {
    pld_engine *engine;
    open_models *models;
    shelf *things;
    history *kept;
    job_queue *queue;
    field_limits limits;
    server_counters *counters;
    const server_log *log;
} drawer_setting;

typedef struct drawer drawer;

/** Begin to draw what the queue has. NULL: memory or threads are out. */
drawer *drawer_start(const drawer_setting *setting);

/** What the engine's log is told while the job at work is drawn: a warning belongs to it. `user` is where the drawer's address is
 *  kept, NULL before there is one. */
void drawer_note_log(void *user, pld_log_level level, const char *message);

/** End the job at work, so that it is over within a moment; it ends as cancelled. */
void drawer_cancel_current(drawer *asked);

/** End the picture at work, and go on with the job's next. */
void drawer_skip_picture(drawer *asked);

/** Whether a job is being drawn. */
bool drawer_is_busy(drawer *asked);

/** Wait until the queue, which was closed, is empty and the last job over. */
void drawer_join(drawer **joined);

#endif
