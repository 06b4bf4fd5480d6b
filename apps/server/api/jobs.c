/* SPDX-License-Identifier: Apache-2.0 */
/** Our own interface: jobs that are asked for, looked at and cancelled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/job_json.h"
#include "api/routes_all.h"
#include "api/submit.h"
#include "base/text_buffer.h"

static const field_rule rules[] = {
    {"user", FIELD_IGNORED, NULL, NULL, "which of a program's users asks; jobs of each take turns", NULL},
    {"keep", FIELD_TAKEN, NULL, NULL, "false: the history does not keep the pictures",
     "{\"type\":[\"boolean\",\"null\"]}"},
};

const field_rules jobs_rules = {rules, sizeof rules / sizeof *rules};

/** The job of the path, with a reference; NULL: the exchange is answered. */
static job *find_job(exchange *asked) {
    job *found = job_store_find(exchange_server(asked)->store, exchange_tail(asked));
    if (found == NULL) {
        reply_error(asked, 404, NULL, "there is no such job, or it has been over for too long");
    }
    return found;
}

static void post_job(exchange *asked) {
    submission read;
    job_request request = {0};
    job *made = NULL;
    if (!submission_read(asked, &read)) {
        return;
    }
    if (submission_begin(asked, &read, &request) && submission_fill(asked, &read, &jobs_rules, &request)) {
        request.unkept = json_is_false(submission_field(&read, "keep"));
        made = submission_queue(asked, &request);
    }
    if (made != NULL) {
        char place[64];
        snprintf(place, sizeof place, "/api/jobs/%s", made->id);
        reply_header(asked, "Location", place);
        reply_json(asked, 202, job_json(exchange_server(asked), made));
    }
    job_release(&made);
    job_request_free(&request);
    submission_free(&read);
}

static void get_job(exchange *asked) {
    job *found = find_job(asked);
    if (found != NULL) {
        reply_json(asked, 200, job_json(exchange_server(asked), found));
    }
    job_release(&found);
}

static void delete_job(exchange *asked) {
    job *found = find_job(asked);
    if (found != NULL) {
        if (!job_is_over(job_look(found).state)) {
            job_queue_cancel(exchange_server(asked)->queue, found);
        }
        reply_json(asked, 200, job_json(exchange_server(asked), found));
    }
    job_release(&found);
}

static void get_preview(exchange *asked) {
    job *found = find_job(asked);
    if (found == NULL) {
        return;
    }
    atomic_store(&found->wants_preview, true);
    const job_bytes preview = job_copy_preview(found);
    if (preview.size > 0) {
        reply_header(asked, "Cache-Control", "no-store");
        reply_bytes(asked, 200, "image/png", preview.bytes, preview.size, free);
    } else {
        reply_error(asked, 404, NULL, "there is no preview yet");
    }
    job_release(&found);
}

/** A finished picture: ID-NUMBER.png. */
static void get_picture(exchange *asked) {
    const char *name = exchange_tail(asked), *dash = strchr(name, '-');
    char id[SECRET_NAME] = "", *end = NULL;
    const unsigned long number =
        dash != NULL && dash[1] >= '0' && dash[1] <= '9' ? strtoul(dash + 1, &end, 10) : 0;
    if (dash != NULL && (size_t)(dash - name) < sizeof id) {
        memcpy(id, name, (size_t)(dash - name));
    }
    job *found =
        end != NULL && strcmp(end, ".png") == 0 ? job_store_find(exchange_server(asked)->store, id) : NULL;
    uint8_t *copy = NULL;
    if (found != NULL && number < job_look(found).picture_count) {
        const job_bytes *png = &found->pictures[number].png; /* it stays as it is */
        copy = malloc(png->size);
        if (copy != NULL) {
            memcpy(copy, png->bytes, png->size);
            reply_header(asked, "Cache-Control", "private, max-age=600, immutable");
            reply_bytes(asked, 200, "image/png", copy, png->size, free);
        }
    }
    if (!exchange_is_answered(asked)) {
        reply_error(asked, 404, NULL, "there is no such picture, or its job has been over for too long");
    }
    job_release(&found);
}

/* ---- events ---- */

/** A client that is told of a job. */
typedef struct follower {
    struct server *server;
    job *followed;
    unsigned version;
} follower;

/** The job after its next change; between two a comment, by which a client that went away is noticed. */
static bool follow(void *user, text_buffer *events) {
    enum { TICK = 5 };
    follower *self = user;
    const job_progress progress = job_wait(self->followed, self->version, TICK);
    if (progress.version == self->version) {
        text_add(events, ": still here\n\n");
        return true;
    }
    const bool over = job_is_over(progress.state);
    json_t *document = job_json(self->server, self->followed);
    char *text = reply_print(document);
    json_decref(document);
    self->version = progress.version;
    text_add_printed(events, "event: %s\ndata: ", over ? job_state_name(progress.state) : "progress");
    text_add(events, text != NULL ? text : "");
    text_add(events, "\n\n");
    events->incomplete = events->incomplete || text == NULL;
    free(text);
    return !over;
}

static void follow_end(void *user) {
    follower *self = user;
    job_release(&self->followed);
    free(self);
}

static void get_events(exchange *asked) {
    job *found = find_job(asked);
    if (found == NULL) {
        return;
    }
    follower *made = calloc(1, sizeof *made);
    if (made == NULL) {
        job_release(&found);
        reply_error(asked, 500, NULL, "out of memory");
        return;
    }
    atomic_store(&found->wants_preview, true);
    *made = (follower){.server = exchange_server(asked), .followed = found};
    reply_events(asked, follow, follow_end, made);
}

#define OURS .group = "jobs", .gives = "application/json"
#define ID   .parameter = "id of a job"

const route jobs_routes[] = {
    {"POST", "/api/jobs", post_job, .body = BODY_JSON_OR_FORM, OURS, .schema = "job_request", .reply = "job",
     .summary = "Ask for pictures; answers at once, with the job's id"},
    {"GET", "/api/jobs/*", get_job, OURS, ID, .reply = "job",
     .summary = "How far a job is; its results once it is over"},
    {"DELETE", "/api/jobs/*", delete_job, OURS, ID, .reply = "job", .summary = "Cancel a job"},
    {"GET", "/api/jobs/*/events", get_events, .group = "jobs", .gives = "text/event-stream", ID,
     .summary = "The job after each change, as server-sent events"},
    {"GET", "/api/jobs/*/preview", get_preview, .group = "jobs", .gives = "image/png", ID,
     .summary = "The picture as it forms, a pixel for each latent"},
    {"GET", "/api/pictures/*", get_picture, .is_open = true,
     /* its name is a secret of 128 bits */ .group = "jobs", .gives = "image/png",
     .parameter = "a job's id, a dash, a number, .png", .summary = "A finished picture"},
    {0},
};
