/* SPDX-License-Identifier: Apache-2.0 */
#include "api/submit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

/** Put a text of a form: a second one of a name makes a list. */
static bool put_part(json_t *fields, const form_part *part) {
    json_t *text = reply_text(part->bytes), *known = json_object_get(fields, part->name);
    reply_builder builder = {0};
    if (json_is_array(known)) {
        reply_append(&builder, known, text);
    } else if (known != NULL) {
        json_t *list = json_array();
        reply_append(&builder, list, json_incref(known));
        reply_append(&builder, list, text);
        reply_put(&builder, fields, part->name, list);
    } else {
        reply_put(&builder, fields, part->name, text);
    }
    return !builder.failed;
}

/** OpenAI's lists come as "image[]". */
static void plain_name(char *name) {
    const size_t length = strlen(name);
    if (length > 2 && strcmp(name + length - 2, "[]") == 0) {
        name[length - 2] = '\0';
    }
}

static bool read_form(exchange *asked, submission *read) {
    const size_t count = exchange_part_count(asked);
    bool done = read->fields != NULL;
    read->uploads = calloc(count + 1, sizeof *read->uploads);
    done = done && read->uploads != NULL;
    for (size_t i = 0; done && i < count; i++) {
        const form_part part = exchange_part(asked, i);
        plain_name((char *)(uintptr_t)part.name);
        if (part.is_file) {
            read->uploads[read->upload_count++] = (field_upload){part.name, part.bytes, part.size};
        } else {
            done = put_part(read->fields, &part);
        }
    }
    return done;
}

bool submission_read(exchange *asked, submission *read) {
    char why[200];
    size_t size = 0;
    *read = (submission){0};
    if (exchange_is_form(asked)) {
        read->fields = json_object();
        if (!read_form(asked, read)) {
            submission_free(read);
            reply_error(asked, 400, NULL,
                        "the form cannot be read: a field whose text is not UTF-8, or too many of them");
            return false;
        }
        return true;
    }
    const char *body = exchange_body(asked, &size);
    read->fields = request_json(body, size, why, sizeof why);
    if (!json_is_object(read->fields)) {
        reply_error(asked, 400, NULL, "%s", read->fields != NULL ? "expected a JSON object" : why);
        submission_free(read);
        return false;
    }
    return true;
}

void submission_free(submission *freed) {
    json_decref(freed->fields);
    free(freed->uploads);
    *freed = (submission){0};
}

/* ---- from fields to a job ---- */

void submission_refuse(exchange *asked, const field_problem *problem) {
    reply_error(asked, reply_status_of((int)problem->error.status), problem->field, "%s",
                problem->error.message);
}

/** Who asks, for fairness: an address, and which of its users the program there says it is. */
static void name_client(const exchange *asked, const submission *read, char client[JOB_CLIENT]) {
    const char *user = json_string_value(json_object_get(read->fields, "user"));
    snprintf(client, JOB_CLIENT, "%s%s%.64s", exchange_client(asked), user != NULL ? " " : "",
             user != NULL ? user : "");
}

/** A number for a request of a client: the same when it is sent again (FNV-1a). */
static uint64_t number_request(const exchange *asked, const char *client) {
    uint64_t number = 0xcbf29ce484222325u;
    size_t size = 0;
    const char *body = exchange_body(asked, &size);
    for (const char *at = client; *at != '\0'; at++) {
        number = (number ^ (unsigned char)*at) * 0x100000001b3u;
    }
    for (size_t i = 0; i < size; i++) {
        number = (number ^ (unsigned char)body[i]) * 0x100000001b3u;
    }
    return number;
}

bool submission_begin(exchange *asked, const submission *read, job_request *request) {
    pld_error error = {0};
    *request = (job_request){.count = 1};
    name_client(asked, read, request->client);
    request->retry_key = number_request(asked, request->client);
    if (pld_options_create(&request->options, &error) != PLD_OK) {
        reply_error(asked, 500, NULL, "%s", error.message);
        return false;
    }
    return true;
}

bool submission_fill(exchange *asked, const submission *read, const field_rules *rules,
                     job_request *request) {
    struct server *server = exchange_server(asked);
    const field_reader reader = {rules, server->things, server->limits};
    field_problem problem = {0};
    if (fields_read(&reader, read->fields, read->uploads, read->upload_count, request, &problem) &&
        fields_settle(&reader, request, &problem)) {
        return true;
    }
    submission_refuse(asked, &problem);
    return false;
}

/** Seconds after which a place may be free: as long as a job takes. */
static int seconds_to_retry(struct server *server) {
    enum { LONGEST = 600 };
    const unsigned long long jobs = atomic_load(&server->counters.jobs_done);
    const double seconds =
        jobs > 0 ? (double)atomic_load(&server->counters.drawing_milliseconds) / 1000 / (double)jobs : 1;
    return seconds < 1 ? 1 : seconds > LONGEST ? LONGEST : (int)ceil(seconds);
}

job *submission_queue(exchange *asked, job_request *request) {
    struct server *server = exchange_server(asked);
    job *made = job_create(request);
    if (made == NULL || !job_store_add(server->store, made)) {
        job_release(&made);
        reply_error(asked, 500, NULL, "out of memory");
        return NULL;
    }
    enum { GRACE = 5 };
    const int retry = seconds_to_retry(server);
    const queue_answer answer = job_queue_add(server->queue, made, 2 * retry + GRACE);
    if (answer == QUEUE_TAKEN) {
        return made;
    }
    job_cancel(made);
    job_end(made, JOB_CANCELLED, NULL);
    job_release(&made);
    if (answer == QUEUE_FULL) {
        char seconds[16];
        snprintf(seconds, sizeof seconds, "%d", retry);
        reply_header(asked, "Retry-After", seconds);
        reply_error(asked, 429, NULL, "the queue is full; try again in %s s", seconds);
    } else {
        reply_error(asked, 503, NULL, "the server is ending");
    }
    return NULL;
}

job_progress submission_wait(exchange *asked, job *awaited) {
    enum { TICK = 1 };
    struct server *server = exchange_server(asked);
    job_progress progress = job_look(awaited);
    while (!job_is_over(progress.state)) {
        progress = job_wait(awaited, progress.version, TICK);
        if (!job_is_over(progress.state) && (exchange_is_gone(asked) || atomic_load(&server->stopping))) {
            job_queue_cancel(server->queue, awaited);
        }
    }
    return progress;
}

bool submission_failed(exchange *asked, const job_progress *progress) {
    if (progress->state == JOB_CANCELLED) {
        reply_error(asked, 503, NULL, "the job was cancelled");
    } else if (progress->state == JOB_FAILED) {
        reply_error(asked, reply_status_of((int)progress->status), NULL, "%s", progress->message);
    }
    return progress->state != JOB_DONE;
}
