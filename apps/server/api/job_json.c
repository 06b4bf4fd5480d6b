/* SPDX-License-Identifier: Apache-2.0 */
#include "api/job_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/** A PNG as a data URL. */
static json_t *data_url(const job_bytes *png) {
    char *text = base64_write(png->bytes, png->size);
    json_t *url = text != NULL ? json_sprintf("data:image/png;base64,%s", text) : NULL;
    free(text);
    return url;
}

static json_t *picture_json(reply_builder *builder, const job *told, size_t index) {
    const job_picture *picture = &told->pictures[index];
    char why[200];
    json_t *made = json_object();
    reply_put(builder, made, "url", json_sprintf("/api/pictures/%s-%zu.png", told->id, index));
    reply_put(builder, made, "seed", json_integer(picture->seed));
    reply_put(builder, made, "width", json_integer(picture->width));
    reply_put(builder, made, "height", json_integer(picture->height));
    reply_put(builder, made, "parameters", reply_text(picture->parameters));
    reply_put(builder, made, "settings",
              request_json(picture->settings, strlen(picture->settings), why, sizeof why));
    reply_put(builder, made, "history",
              picture->history_name[0] != '\0' ? json_string(picture->history_name) : json_null());
    return made;
}

static json_t *map_json(reply_builder *builder, const job_map *map) {
    json_t *made = json_object();
    reply_put(builder, made, "word", reply_text(map->word));
    reply_put(builder, made, "tokens", json_integer(map->tokens));
    reply_put(builder, made, "most", reply_number(map->most));
    reply_put(builder, made, "dense", data_url(&map->dense));
    reply_put(builder, made, "sparse", data_url(&map->sparse));
    return made;
}

static void put_results(reply_builder *builder, json_t *document, const job *told,
                        const job_progress *progress) {
    json_t *pictures = json_array(), *maps = json_array();
    for (size_t i = 0; i < progress->picture_count; i++) {
        reply_append(builder, pictures, picture_json(builder, told, i));
    }
    for (size_t i = 0; job_is_over(progress->state) && i < progress->map_count; i++) {
        reply_append(builder, maps, map_json(builder, &told->maps[i]));
    }
    reply_put(builder, document, "pictures", pictures);
    reply_put(builder, document, "maps", maps);
}

static json_t *time_json(double seconds) {
    return seconds > 0 ? json_real(seconds) : json_null();
}

json_t *job_json(struct server *server, job *told) {
    reply_builder builder = {0};
    const job_progress progress = job_look(told);
    json_t *document = json_object();
    reply_put(&builder, document, "id", json_string(told->id));
    reply_put(&builder, document, "state", json_string(job_state_name(progress.state)));
    reply_put(
        &builder, document, "place",
        json_integer(progress.state == JOB_QUEUED ? (json_int_t)job_queue_place(server->queue, told) : 0));
    reply_put(&builder, document, "model", reply_text(told->request.model));
    reply_put(&builder, document, "seed", json_integer(told->request.seed));
    reply_put(&builder, document, "stage", json_string(progress.stage));
    reply_put(&builder, document, "image", json_integer(progress.image));
    reply_put(&builder, document, "images", json_integer(progress.images));
    reply_put(&builder, document, "step", json_integer(progress.step));
    reply_put(&builder, document, "steps", json_integer(progress.steps));
    reply_put(&builder, document, "seconds_left",
              progress.seconds_left >= 0 ? reply_number(progress.seconds_left) : json_null());
    reply_put(&builder, document, "preview", json_integer(progress.preview_version));
    reply_put(&builder, document, "queued_at", time_json(progress.queued_at));
    reply_put(&builder, document, "started_at", time_json(progress.started_at));
    reply_put(&builder, document, "ended_at", time_json(progress.ended_at));
    reply_put(&builder, document, "error",
              progress.message[0] != '\0' ? reply_text(progress.message) : json_null());
    reply_put(&builder, document, "warning",
              progress.warning[0] != '\0' ? reply_text(progress.warning) : json_null());
    put_results(&builder, document, told, &progress);
    return reply_finish(&builder, document);
}
