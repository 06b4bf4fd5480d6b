/* SPDX-License-Identifier: Apache-2.0 */
/** A1111's interface, as its clients speak it: pictures, and how far they are. */
#include "api/a1111.h"

#include "api/a1111_fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/routes_all.h"
#include "api/submit.h"
#include "base/base64.h"
#include "base/clock.h"

json_t *a1111_error(unsigned status, const char *field, const char *message) {
    reply_builder builder = {0};
    json_t *error = json_object();
    reply_put(&builder, error, "error", json_string(status >= 500 ? "ServerError" : "RequestError"));
    reply_put(&builder, error, "detail", reply_text(message));
    reply_put(&builder, error, "body", reply_text(field));
    reply_put(&builder, error, "errors", reply_text(message));
    return reply_finish(&builder, error);
}

/* ---- answers ---- */

static json_t *texts_of(reply_builder *builder, const job *done, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        reply_append(builder, list, reply_text(done->pictures[i].parameters));
    }
    return list;
}

static json_t *seeds_of(reply_builder *builder, const job *done, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        reply_append(builder, list, json_integer(done->pictures[i].seed));
    }
    return list;
}

/** The text "info": a JSON document by itself. */
static json_t *info_of(const job *done, size_t count) {
    reply_builder builder = {0};
    json_t *info = json_object();
    const pld_options *options = done->request.options;
    const char *negative = pld_options_get(options, "generate", "negative-prompt")->text;
    char why[200];
    reply_put(&builder, info, "prompt", reply_text(pld_options_get(options, "generate", "prompt")->text));
    reply_put(&builder, info, "negative_prompt", reply_text(negative != NULL ? negative : ""));
    reply_put(&builder, info, "seed", json_integer(done->request.seed));
    reply_put(&builder, info, "all_seeds", seeds_of(&builder, done, count));
    reply_put(&builder, info, "infotexts", texts_of(&builder, done, count));
    reply_put(&builder, info, "sd_model_name", reply_text(done->request.model));
    reply_put(&builder, info, "index_of_first_image", json_integer(0));
    if (count > 0) {
        const char *settings = done->pictures[0].settings;
        json_t *all = request_json(settings, strlen(settings), why, sizeof why);
        reply_put(&builder, info, "width", json_integer(done->pictures[0].width));
        reply_put(&builder, info, "height", json_integer(done->pictures[0].height));
        json_object_update_missing(info, all);
        json_decref(all);
    }
    info = reply_finish(&builder, info);
    char *text = reply_print(info);
    json_decref(info);
    json_t *value = text != NULL ? json_string(text) : NULL;
    free(text);
    return value;
}

static void reply_pictures(exchange *asked, const submission *read, const job *done, size_t count) {
    reply_builder builder = {0};
    json_t *images = json_array(), *document = json_object(), *parameters = json_copy(read->fields);
    const json_t *send = submission_field(read, "send_images");
    for (size_t i = 0; i < count && !json_is_false(send); i++) {
        char *text = base64_write(done->pictures[i].png.bytes, done->pictures[i].png.size);
        reply_append(&builder, images, text != NULL ? json_string_nocheck(text) : NULL);
        free(text);
    }
    json_object_del(parameters, "init_images"); /* they are large, and the client's own */
    json_object_del(parameters, "mask");
    json_object_del(parameters, "auth");
    reply_put(&builder, document, "images", images);
    reply_put(&builder, document, "parameters", parameters);
    reply_put(&builder, document, "info", info_of(done, count));
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void draw(exchange *asked, bool from_picture) {
    struct server *server = exchange_server(asked);
    submission read;
    job_request request = {0};
    job *made = NULL;
    if (!submission_read(asked, &read)) {
        return;
    }
    if (submission_begin(asked, &read, &request)) {
        const field_reader reader = {&a1111_rules, server->things, server->limits};
        field_problem problem = {0};
        if (a1111_fill(&reader, &read, from_picture, &request, &problem)) {
            made = submission_queue(asked, &request);
        } else {
            submission_refuse(asked, &problem);
        }
    }
    if (made != NULL) {
        const job_progress progress = submission_wait(asked, made);
        /* An interrupted job gives what it has. */
        if (progress.state == JOB_CANCELLED || !submission_failed(asked, &progress)) {
            reply_pictures(asked, &read, made, progress.picture_count);
        }
    }
    job_release(&made);
    job_request_free(&request);
    submission_free(&read);
}

static void post_txt2img(exchange *asked) {
    draw(asked, false);
}

static void post_img2img(exchange *asked) {
    draw(asked, true);
}

/* ---- while they are drawn ---- */

static json_t *state_json(reply_builder *builder, const job *current, const job_progress *progress,
                          const struct server *server) {
    char moment[32] = "0";
    const time_t begun = (time_t)progress->started_at;
    struct tm parts;
    if (begun > 0 && localtime_r(&begun, &parts) != NULL) {
        strftime(moment, sizeof moment, "%Y%m%d%H%M%S", &parts);
    }
    json_t *state = json_object();
    reply_put(builder, state, "skipped", json_false());
    reply_put(builder, state, "interrupted", json_boolean(current != NULL && job_is_cancelled(current)));
    reply_put(builder, state, "stopping_generation", json_boolean(atomic_load(&server->stopping)));
    reply_put(builder, state, "job", current != NULL ? json_string(current->id) : json_string(""));
    reply_put(builder, state, "job_count", json_integer(progress->images));
    reply_put(builder, state, "job_timestamp", json_string(moment));
    reply_put(builder, state, "job_no", json_integer(progress->image));
    reply_put(builder, state, "sampling_step", json_integer(progress->step));
    reply_put(builder, state, "sampling_steps", json_integer(progress->steps));
    return state;
}

static double share_done(const job_progress *progress) {
    const double step = progress->steps > 0 ? (double)progress->step / progress->steps : 0;
    return progress->images > 0 ? (progress->image + step) / progress->images : 0;
}

static json_t *preview_json(job *current) {
    const job_bytes preview = current != NULL ? job_copy_preview(current) : (job_bytes){0};
    char *text = preview.size > 0 ? base64_write(preview.bytes, preview.size) : NULL;
    json_t *value = text != NULL ? json_string_nocheck(text) : json_null();
    free(text);
    free(preview.bytes);
    return value;
}

static void get_progress(exchange *asked) {
    struct server *server = exchange_server(asked);
    const char *skip = exchange_query(asked, "skip_current_image");
    job *current = job_store_current(server->store);
    const job_progress progress = current != NULL ? job_look(current) : (job_progress){0};
    reply_builder builder = {0};
    json_t *document = json_object();
    if (current != NULL) {
        atomic_store(&current->wants_preview, true);
    }
    reply_put(&builder, document, "progress", json_real(share_done(&progress)));
    reply_put(&builder, document, "eta_relative",
              json_real(progress.seconds_left > 0 ? progress.seconds_left : 0));
    reply_put(&builder, document, "state", state_json(&builder, current, &progress, server));
    reply_put(&builder, document, "current_image",
              skip != NULL && strcmp(skip, "true") == 0 ? json_null() : preview_json(current));
    reply_put(&builder, document, "textinfo", reply_text(progress.stage[0] != '\0' ? progress.stage : NULL));
    job_release(&current);
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void post_interrupt(exchange *asked) {
    drawer_cancel_current(exchange_server(asked)->drawer);
    reply_json(asked, 200, json_object());
}

static void post_skip(exchange *asked) {
    drawer_skip_picture(exchange_server(asked)->drawer);
    reply_json(asked, 200, json_object());
}

#define A1111 .error = a1111_error, .group = "A1111", .gives = "application/json"

const route a1111_routes[] = {
    {"POST", "/sdapi/v1/txt2img", post_txt2img, .body = BODY_JSON, A1111, .schema = "a1111_txt2img",
     .reply = "a1111_pictures", .summary = "Draw pictures"},
    {"POST", "/sdapi/v1/img2img", post_img2img, .body = BODY_JSON, A1111, .schema = "a1111_img2img",
     .reply = "a1111_pictures", .summary = "Draw pictures that start from one"},
    {"GET", "/sdapi/v1/progress", get_progress, A1111, .summary = "How far the picture is that is drawn"},
    {"POST", "/sdapi/v1/interrupt", post_interrupt, A1111, .summary = "Cancel the job that is drawn"},
    {"POST", "/sdapi/v1/skip", post_skip, A1111, .summary = "Go on with the job's next picture"},
    {0},
};
