/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openai_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/text_buffer.h"

typedef struct streamer {
    struct server *server;
    job *drawn;
    const char *name;
    unsigned version, preview_version;
    int partial_images, partial_sent;
    size_t pictures_sent;
} streamer;

/** One event with a picture. */
static void add_picture(const streamer *self, text_buffer *events, const char *what, const job_bytes *png,
                        int width, int height, int index) {
    char *data = base64_write(png->bytes, png->size);
    if (data == NULL) {
        events->incomplete = true;
        return;
    }
    text_add_printed(events, "event: %s.%s\ndata: {\"type\":\"%s.%s\",\"created_at\":%lld,", self->name, what,
                     self->name, what, (long long)clock_calendar());
    if (index >= 0) {
        text_add_printed(events, "\"partial_image_index\":%d,", index);
    } else {
        text_add(events, "\"usage\":{\"total_tokens\":0,\"input_tokens\":0,\"output_tokens\":0,"
                         "\"input_tokens_details\":{\"text_tokens\":0,\"image_tokens\":0}},");
    }
    text_add_printed(events,
                     "\"size\":\"%dx%d\",\"quality\":\"auto\",\"background\":\"opaque\",\"output_format\":"
                     "\"png\",\"b64_json\":\"",
                     width, height);
    text_add(events, data);
    text_add(events, "\"}\n\n");
    free(data);
}

/** A preview, when its turn has come: they are spread over the steps. */
static void add_partial(streamer *self, text_buffer *events, const job_progress *progress) {
    if (progress->preview_version == self->preview_version || self->partial_sent >= self->partial_images ||
        progress->steps == 0 ||
        progress->step * (self->partial_images + 1) < progress->steps * (self->partial_sent + 1)) {
        return;
    }
    job_bytes preview = job_copy_preview(self->drawn);
    self->preview_version = progress->preview_version;
    if (preview.size > 0) {
        /* Width and height stand in a PNG's header. */
        const int width = preview.bytes[18] << 8 | preview.bytes[19],
                  height = preview.bytes[22] << 8 | preview.bytes[23];
        add_picture(self, events, "partial_image", &preview, width, height, self->partial_sent++);
    }
    free(preview.bytes);
}

static void add_error(text_buffer *events, const job_progress *progress) {
    reply_builder builder = {0};
    json_t *error = json_object(), *whole = json_object();
    reply_put(&builder, error, "type", json_string("server_error"));
    reply_put(&builder, error, "message",
              reply_text(progress->state == JOB_CANCELLED ? "the job was cancelled" : progress->message));
    reply_put(&builder, whole, "type", json_string("error"));
    reply_put(&builder, whole, "error", error);
    whole = reply_finish(&builder, whole);
    char *text = reply_print(whole);
    json_decref(whole);
    text_add(events, "event: error\ndata: ");
    text_add(events, text != NULL ? text : "{\"error\":{\"message\":\"out of memory\"}}");
    text_add(events, "\n\n");
    free(text);
}

static bool stream_next(void *user, text_buffer *events) {
    enum { TICK = 5 };
    streamer *self = user;
    const job_progress progress = job_wait(self->drawn, self->version, TICK);
    if (progress.version == self->version) {
        text_add(events, ": still here\n\n");
        return true;
    }
    self->version = progress.version;
    add_partial(self, events, &progress);
    for (; self->pictures_sent < progress.picture_count; self->pictures_sent++) {
        const job_picture *picture = &self->drawn->pictures[self->pictures_sent];
        add_picture(self, events, "completed", &picture->png, picture->width, picture->height, -1);
    }
    if (!job_is_over(progress.state)) {
        return true;
    }
    if (progress.state != JOB_DONE) {
        add_error(events, &progress);
    }
    text_add(events, "data: [DONE]\n\n");
    return false;
}

static void stream_end(void *user) {
    streamer *self = user;
    if (!job_is_over(job_look(self->drawn).state)) { /* the client went away */
        job_queue_cancel(self->server->queue, self->drawn);
    }
    job_release(&self->drawn);
    free(self);
}

void openai_stream(exchange *asked, job *drawn, const openai_wishes *wishes, const char *name) {
    streamer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        reply_error(asked, 500, NULL, "out of memory");
        return;
    }
    atomic_store(&drawn->wants_preview, wishes->partial_images > 0);
    *made = (streamer){.server = exchange_server(asked),
                       .drawn = job_hold(drawn),
                       .name = name,
                       .partial_images = wishes->partial_images};
    reply_events(asked, stream_next, stream_end, made);
}
