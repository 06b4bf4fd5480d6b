/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures that were kept, and settings that PNGs tell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/metadata.h>

#include "api/routes_all.h"
#include "context.h"
#include "fields/upload.h"
#include "http/exchange.h"

static void get_history(exchange *asked) {
    enum { MOST = 500, USUAL = 60 };
    struct server *server = exchange_server(asked);
    const char *before = exchange_query(asked, "before"), *limit = exchange_query(asked, "limit");
    const long wanted = limit != NULL ? strtol(limit, NULL, 10) : USUAL;
    if (limit != NULL && (wanted < 1 || wanted > MOST)) {
        reply_error(asked, 400, "limit", "limit: expected 1 to %d", (int)MOST);
        return;
    }
    reply_builder builder = {0};
    json_t *document = json_object();
    reply_put(&builder, document, "kept", json_boolean(history_is_kept(server->kept)));
    reply_put(&builder, document, "count", json_integer((json_int_t)history_count(server->kept)));
    reply_put(&builder, document, "names",
              history_list(server->kept, before != NULL ? before : "", (size_t)wanted));
    reply_json(asked, 200, reply_finish(&builder, document));
}

/** The bytes of the path's picture, which the caller frees; NULL: the exchange is answered. */
static uint8_t *read_entry(exchange *asked, size_t *size) {
    uint8_t *bytes = NULL;
    pld_error error = {0};
    if (history_read(exchange_server(asked)->kept, exchange_tail(asked), &bytes, size, &error) != PLD_OK) {
        reply_error(asked, 404, NULL, "%s", error.message);
        return NULL;
    }
    return bytes;
}

static void get_entry(exchange *asked) {
    size_t size = 0;
    uint8_t *bytes = read_entry(asked, &size);
    if (bytes != NULL) {
        reply_header(asked, "Cache-Control", "private, max-age=86400, immutable");
        reply_bytes(asked, 200, "image/png", bytes, size, free);
    }
}

static void delete_entry(exchange *asked) {
    pld_error error = {0};
    const pld_status status = history_remove(exchange_server(asked)->kept, exchange_tail(asked), &error);
    if (status != PLD_OK) {
        reply_error(asked, reply_status_of((int)status), NULL, "%s", error.message);
    } else {
        reply_empty(asked, 204);
    }
}

/** What a PNG's texts tell, in our own form. */
static void reply_settings(exchange *asked, char *const *text) {
    pld_metadata *found = NULL;
    pld_error error = {0};
    char why[200];
    const pld_status status = pld_metadata_read(text, "picture", &found, &error);
    if (status != PLD_OK) {
        reply_error(asked, reply_status_of((int)status), NULL, "%s", error.message);
        return;
    }
    reply_builder builder = {0};
    json_t *document = request_json(found->settings, strlen(found->settings), why, sizeof why),
           *left_out = json_array();
    for (size_t i = 0; i < found->left_out_count; i++) {
        reply_append(&builder, left_out, reply_text(found->left_out[i]));
    }
    reply_put(&builder, document, "program", reply_text(found->program));
    reply_put(&builder, document, "left_out", left_out);
    pld_metadata_free(&found);
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void reply_described(exchange *asked, const void *bytes, size_t size) {
    pld_image image = {0};
    char **text = NULL;
    field_problem problem = {0};
    if (!upload_check_png("picture", bytes, size, exchange_server(asked)->limits.max_pixels, &problem) ||
        pld_image_decode_described(bytes, size, "picture", &image, &text, &problem.error) != PLD_OK) {
        reply_error(asked, 400, NULL, "%s", problem.error.message);
    } else {
        reply_settings(asked, text);
    }
    pld_image_free(&image);
    pld_text_free(&text);
}

static void get_entry_settings(exchange *asked) {
    size_t size = 0;
    uint8_t *bytes = read_entry(asked, &size);
    if (bytes != NULL) {
        reply_described(asked, bytes, size);
    }
    free(bytes);
}

static void post_png_settings(exchange *asked) {
    size_t size = 0;
    const char *bytes = exchange_body(asked, &size);
    reply_described(asked, bytes, size);
}

#define HISTORY .group = "history", .gives = "application/json"
#define NAME    .parameter = "name of a picture"

const route history_routes[] = {
    {"GET", "/api/history", get_history, HISTORY, .reply = "history",
     .summary = "Names of kept pictures, the newest first (before, limit)"},
    {"GET", "/api/history/*", get_entry, .group = "history", .gives = "image/png", NAME,
     .summary = "A kept picture"},
    {"DELETE", "/api/history/*", delete_entry, HISTORY, NAME, .reply = "empty",
     .summary = "Remove a kept picture"},
    {"GET", "/api/history/*/settings", get_entry_settings, HISTORY, NAME, .reply = "settings",
     .summary = "What it was drawn with"},
    {"POST", "/api/png-settings", post_png_settings, .body = BODY_PNG, HISTORY, .reply = "settings",
     .summary = "What any PNG tells of its making, as far as it can be taken over"},
    {0},
};
