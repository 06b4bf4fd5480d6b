/* SPDX-License-Identifier: Apache-2.0 */
/** A1111's lists of what there is, its settings, and what a PNG tells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/metadata.h>

#include "api/a1111.h"
#include "api/routes_all.h"
#include "api/submit.h"
#include "base/base64.h"
#include "base/memory_figures.h"
#include "fields/upload.h"

/* ---- models and LoRAs ---- */

/** A list of the shelf, each item by `make`. */
static void reply_items(exchange *asked, pld_status (*list_of)(shelf *, shelf_list *, pld_error *),
                        void (*make)(reply_builder *builder, json_t *made, const shelf_item *item)) {
    shelf_list list;
    pld_error error = {0};
    if (list_of(exchange_server(asked)->things, &list, &error) != PLD_OK) {
        reply_error(asked, 500, NULL, "%s", error.message);
        return;
    }
    reply_builder builder = {0};
    json_t *all = json_array();
    for (size_t i = 0; i < list.count; i++) {
        json_t *made = json_object();
        make(&builder, made, &list.items[i]);
        reply_append(&builder, all, made);
    }
    shelf_list_free(&list);
    reply_json(asked, 200, reply_finish(&builder, all));
}

/** The name of a file without its ending. */
static json_t *stem(const char *name) {
    const char *dot = strrchr(name, '.');
    const bool ending = dot != NULL && (strcmp(dot, ".safetensors") == 0 || strcmp(dot, ".gguf") == 0);
    return json_stringn(name, ending ? (size_t)(dot - name) : strlen(name));
}

static void put_model(reply_builder *builder, json_t *made, const shelf_item *item) {
    reply_put(builder, made, "title", json_string(item->name));
    reply_put(builder, made, "model_name", stem(item->name));
    reply_put(builder, made, "hash", json_null());
    reply_put(builder, made, "sha256", json_null());
    reply_put(builder, made, "filename", json_string(item->name)); /* where it lies is nobody's business */
    reply_put(builder, made, "config", json_null());
}

static void put_vae(reply_builder *builder, json_t *made, const shelf_item *item) {
    reply_put(builder, made, "model_name", json_string(item->name));
    reply_put(builder, made, "filename", json_string(item->name));
}

static void put_lora(reply_builder *builder, json_t *made, const shelf_item *item) {
    reply_put(builder, made, "name", stem(item->name));
    reply_put(builder, made, "alias", stem(item->name));
    reply_put(builder, made, "path", json_string(item->name));
    reply_put(builder, made, "metadata", json_object());
}

static void get_models(exchange *asked) {
    reply_items(asked, shelf_models, put_model);
}

static void get_vaes(exchange *asked) {
    reply_items(asked, shelf_models, put_vae);
}

static void get_loras(exchange *asked) {
    reply_items(asked, shelf_loras, put_lora);
}

/* ---- samplers and schedules ---- */

/** Whether an earlier entry of a list has the common name of entry `index`. */
static bool is_listed(pld_list_kind kind, size_t index) {
    const char *name = NULL, *description = NULL, *other = NULL;
    pld_list(kind, index, &name, &description);
    for (size_t i = 0; i < index && pld_list(kind, i, &other, &description); i++) {
        if (strcmp(pld_common_name(kind, other), pld_common_name(kind, name)) == 0) {
            return true;
        }
    }
    return false;
}

static void get_samplers(exchange *asked) {
    reply_builder builder = {0};
    const char *name = NULL, *description = NULL;
    json_t *all = json_array();
    for (size_t i = 0; pld_list(PLD_LIST_SAMPLERS, i, &name, &description); i++) {
        if (is_listed(PLD_LIST_SAMPLERS, i)) {
            continue;
        }
        json_t *made = json_object(), *aliases = json_array();
        reply_append(&builder, aliases, json_string(name));
        reply_put(&builder, made, "name", json_string(pld_common_name(PLD_LIST_SAMPLERS, name)));
        reply_put(&builder, made, "aliases", aliases);
        reply_put(&builder, made, "options", json_object());
        reply_append(&builder, all, made);
    }
    reply_json(asked, 200, reply_finish(&builder, all));
}

static void put_schedule(reply_builder *builder, json_t *all, const char *name, const char *label) {
    json_t *made = json_object();
    reply_put(builder, made, "name", json_string(name));
    reply_put(builder, made, "label", json_string(label));
    reply_put(builder, made, "aliases", json_array());
    reply_put(builder, made, "default_rho", json_real(-1));
    reply_put(builder, made, "need_inner_model", json_false());
    reply_append(builder, all, made);
}

static void get_schedulers(exchange *asked) {
    reply_builder builder = {0};
    const char *name = NULL, *description = NULL;
    json_t *all = json_array();
    put_schedule(&builder, all, "automatic", "Automatic");
    for (size_t i = 0; pld_list(PLD_LIST_SCHEDULERS, i, &name, &description); i++) {
        const char *label = pld_common_name(PLD_LIST_SCHEDULERS, name);
        if (strcmp(label, "Automatic") != 0 && !is_listed(PLD_LIST_SCHEDULERS, i)) {
            put_schedule(&builder, all, name, label);
        }
    }
    reply_json(asked, 200, reply_finish(&builder, all));
}

/* ---- settings ---- */

static json_t *settings(struct server *server) {
    reply_builder builder = {0};
    char model[SHELF_NAME];
    json_t *document = json_object();
    shelf_default(server->things, model);
    reply_put(&builder, document, "sd_model_checkpoint", json_string(model));
    reply_put(&builder, document, "sd_checkpoint_hash", json_string(""));
    reply_put(&builder, document, "sd_vae", json_string("Automatic"));
    reply_put(&builder, document, "CLIP_stop_at_last_layers", json_integer(1));
    reply_put(&builder, document, "samples_save", json_boolean(history_is_kept(server->kept)));
    reply_put(&builder, document, "samples_format", json_string("png"));
    reply_put(&builder, document, "img2img_fix_steps", json_false());
    reply_put(&builder, document, "eta_noise_seed_delta", json_integer(0));
    return reply_finish(&builder, document);
}

static void get_options(exchange *asked) {
    reply_json(asked, 200, settings(exchange_server(asked)));
}

/** A model by its name becomes the default; what else a client sends must be as it is. */
static void post_options(exchange *asked) {
    struct server *server = exchange_server(asked);
    submission read;
    pld_error error = {0};
    const char *name = NULL, *model = NULL;
    json_t *value = NULL;
    if (!submission_read(asked, &read)) {
        return;
    }
    json_t *known = settings(server);
    json_object_foreach(read.fields, name, value) {
        if (strcmp(name, "sd_model_checkpoint") == 0 && json_is_string(value)) {
            model = json_string_value(value);
        } else if (!exchange_is_answered(asked) && !json_is_null(value) &&
                   !json_equal(value, json_object_get(known, name))) {
            reply_error(asked, 400, name, "%.60s: cannot be changed here", name);
        }
    }
    if (!exchange_is_answered(asked) && model != NULL &&
        shelf_set_default(server->things, model, &error) != PLD_OK) {
        reply_error(asked, reply_status_of((int)error.status), "sd_model_checkpoint", "%s", error.message);
    }
    if (!exchange_is_answered(asked)) {
        reply_json(asked, 200, settings(server));
    }
    json_decref(known);
    submission_free(&read);
}

/* ---- what there is nothing of ---- */

static void get_nothing(exchange *asked) {
    reply_json(asked, 200, json_array());
}

static void post_nothing(exchange *asked) {
    reply_json(asked, 200, json_null());
}

static void get_upscalers(exchange *asked) {
    reply_builder builder = {0};
    json_t *all = json_array(), *none = json_object();
    reply_put(&builder, none, "name", json_string("None"));
    reply_put(&builder, none, "model_name", json_null());
    reply_put(&builder, none, "model_path", json_null());
    reply_put(&builder, none, "model_url", json_null());
    reply_put(&builder, none, "scale", json_integer(1));
    reply_append(&builder, all, none);
    reply_json(asked, 200, reply_finish(&builder, all));
}

static void get_embeddings(exchange *asked) {
    reply_builder builder = {0};
    json_t *document = json_object();
    reply_put(&builder, document, "loaded", json_object());
    reply_put(&builder, document, "skipped", json_object());
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void get_scripts(exchange *asked) {
    reply_builder builder = {0};
    json_t *document = json_object();
    reply_put(&builder, document, "txt2img", json_array());
    reply_put(&builder, document, "img2img", json_array());
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void get_memory(exchange *asked) {
    const memory_figures figures = memory_figures_now();
    reply_builder builder = {0};
    json_t *document = json_object(), *ram = json_object(), *cuda = json_object();
    reply_put(&builder, ram, "used", json_integer((json_int_t)figures.resident));
    reply_put(&builder, ram, "free", json_integer((json_int_t)figures.available));
    reply_put(&builder, ram, "total", json_integer((json_int_t)figures.total));
    reply_put(&builder, cuda, "error", json_string("pladis computes on the CPU"));
    reply_put(&builder, document, "ram", ram);
    reply_put(&builder, document, "cuda", cuda);
    reply_json(asked, 200, reply_finish(&builder, document));
}

/* ---- a PNG's texts ---- */

static json_t *texts_json(reply_builder *builder, char *const *text) {
    json_t *items = json_object();
    for (size_t i = 0; text[i] != NULL; i += 2) {
        char *key = NULL;
        if (pld_utf8_repair(text[i], strlen(text[i]), &key, NULL, NULL) == PLD_OK) {
            reply_put(builder, items, key, reply_text(text[i + 1]));
        }
        pld_string_free(&key);
    }
    return items;
}

static void reply_texts(exchange *asked, char *const *text) {
    reply_builder builder = {0};
    json_t *document = json_object(), *parameters = json_object();
    const char *info = "";
    pld_metadata *found = NULL;
    char why[200];
    for (size_t i = 0; text[i] != NULL; i += 2) {
        info = strcmp(text[i], "parameters") == 0 ? text[i + 1] : info;
    }
    if (pld_metadata_read(text, "picture", &found, NULL) == PLD_OK) {
        json_t *settings_read = request_json(found->settings, strlen(found->settings), why, sizeof why);
        json_t *first = json_array_get(json_object_get(settings_read, "pictures"), 0);
        json_decref(parameters);
        parameters = first != NULL ? json_incref(first) : json_object();
        json_decref(settings_read);
        pld_metadata_free(&found);
    }
    reply_put(&builder, document, "info", reply_text(info));
    reply_put(&builder, document, "items", texts_json(&builder, text));
    reply_put(&builder, document, "parameters", parameters);
    reply_json(asked, 200, reply_finish(&builder, document));
}

static void post_png_info(exchange *asked) {
    struct server *server = exchange_server(asked);
    submission read;
    field_problem problem = {0};
    const char *image = NULL;
    size_t size = 0;
    bool out_of_memory = false;
    if (!submission_read(asked, &read)) {
        return;
    }
    uint8_t *bytes = submission_text(&read, "image", &image) && image != NULL
                         ? base64_read(image, &size, &out_of_memory)
                         : NULL;
    pld_image picture = {0};
    char **text = NULL;
    if (bytes == NULL) {
        reply_error(asked, out_of_memory ? 500 : 400, "image", "image: expected a PNG as base64");
    } else if (!upload_check_png("image", bytes, size, server->limits.max_pixels, &problem)) {
        submission_refuse(asked, &problem);
    } else if (pld_image_decode_described(bytes, size, "image", &picture, &text, &problem.error) != PLD_OK) {
        reply_error(asked, 400, "image", "%s", problem.error.message);
    } else {
        reply_texts(asked, text);
    }
    pld_image_free(&picture);
    pld_text_free(&text);
    free(bytes);
    submission_free(&read);
}

#define A1111   .error = a1111_error, .group = "A1111", .gives = "application/json"
#define NOTHING "There are none; for clients that ask"

const route a1111_list_routes[] = {
    {"GET", "/sdapi/v1/options", get_options, A1111, .summary = "Settings"},
    {"POST", "/sdapi/v1/options", post_options, .body = BODY_JSON, A1111, .schema = "a1111_options",
     .summary = "Choose the default model"},
    {"GET", "/sdapi/v1/sd-models", get_models, A1111, .reply = "list",
     .summary = "Models that the server has"},
    {"GET", "/sdapi/v1/sd-vae", get_vaes, A1111, .reply = "list",
     .summary = "Files that may be autoencoders"},
    {"GET", "/sdapi/v1/loras", get_loras, A1111, .reply = "list", .summary = "LoRAs"},
    {"GET", "/sdapi/v1/samplers", get_samplers, A1111, .reply = "list",
     .summary = "Samplers, by A1111's names"},
    {"GET", "/sdapi/v1/schedulers", get_schedulers, A1111, .reply = "list", .summary = "Sigma schedules"},
    {"GET", "/sdapi/v1/upscalers", get_upscalers, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/embeddings", get_embeddings, A1111, .summary = NOTHING},
    {"GET", "/sdapi/v1/hypernetworks", get_nothing, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/face-restorers", get_nothing, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/realesrgan-models", get_nothing, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/prompt-styles", get_nothing, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/latent-upscale-modes", get_nothing, A1111, .reply = "list", .summary = NOTHING},
    {"GET", "/sdapi/v1/scripts", get_scripts, A1111, .summary = NOTHING},
    {"GET", "/sdapi/v1/cmd-flags", get_embeddings, A1111, .summary = NOTHING},
    {"GET", "/sdapi/v1/memory", get_memory, A1111,
     .summary = "Memory of the process and of the machine, in bytes"},
    {"POST", "/sdapi/v1/refresh-checkpoints", post_nothing, A1111, .reply = "nothing",
     .summary = "Folders are looked through anyway"},
    {"POST", "/sdapi/v1/refresh-loras", post_nothing, A1111, .reply = "nothing",
     .summary = "Folders are looked through anyway"},
    {"POST", "/sdapi/v1/refresh-vae", post_nothing, A1111, .reply = "nothing",
     .summary = "Folders are looked through anyway"},
    {"POST", "/sdapi/v1/png-info", post_png_info, .body = BODY_JSON, A1111, .schema = "a1111_png_info",
     .summary = "What a PNG tells of its making"},
    {0},
};
