/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory_figures.h"
#include "base/text_buffer.h"

enum { MOST_OPEN = 8, PART_COUNT = 5 };

/** Options that name another file for a part of the model. */
static const char *const part_options[PART_COUNT] = {"vae", "unet", "text-encoder", "text-encoder-2",
                                                     "text-encoder-3"};

/** One open model, and what of it was drawn with last. */
typedef struct open_model {
    char name[SHELF_NAME];
    char *key;   /* name and parts */
    char *loras; /* those of `model`; NULL: there is no `model` yet */
    pld_model *base, *model;
    pld_session *session;
    uint64_t used; /* the turn in which it was used last */
} open_model;

struct open_models {
    models_setting setting;
    open_model items[MOST_OPEN]; /* [count] */
    size_t count;
    uint64_t turn;
    pthread_mutex_t mutex; /* guards the names, for other threads */
};

static pld_status out_of_memory(pld_error *error) {
    error->status = PLD_ERROR_MEMORY;
    snprintf(error->message, sizeof error->message, "out of memory for a model");
    return PLD_ERROR_MEMORY;
}

open_models *open_models_create(const models_setting *setting) {
    open_models *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->setting = *setting;
        pthread_mutex_init(&made->mutex, NULL);
    }
    return made;
}

static void close_model(open_model *closed) {
    pld_session_destroy(&closed->session);
    pld_model_destroy(&closed->model);
    pld_model_destroy(&closed->base);
    free(closed->loras);
    free(closed->key);
    *closed = (open_model){0};
}

static void give_back(open_models *models, size_t at) {
    close_model(&models->items[at]);
    pthread_mutex_lock(&models->mutex);
    models->items[at] = models->items[--models->count];
    models->items[models->count] = (open_model){0};
    pthread_mutex_unlock(&models->mutex);
    atomic_fetch_add(&models->setting.counters->models_given_back, 1);
}

void open_models_close(open_models *models) {
    while (models->count > 0) {
        give_back(models, models->count - 1);
    }
}

void open_models_destroy(open_models **models) {
    if (*models != NULL) {
        open_models_close(*models);
        pthread_mutex_destroy(&(*models)->mutex);
        free(*models);
        *models = NULL;
    }
}

void open_models_each(open_models *models, void (*visit)(void *user, const char *name), void *user) {
    pthread_mutex_lock(&models->mutex);
    for (size_t i = 0; i < models->count; i++) {
        visit(user, models->items[i].name);
    }
    pthread_mutex_unlock(&models->mutex);
}

/* ---- memory ---- */

/** Whether there is room for a model whose files have so many bytes, packed about as many in memory, and buffers. */
static bool fits(const open_models *models, uint64_t bytes) {
    const uint64_t need = bytes + bytes / 4, most = models->setting.max_memory;
    const memory_figures now = memory_figures_now();
    return (most == 0 || now.resident + need <= most) && (now.available == 0 || need <= now.available);
}

static uint64_t bytes_of(const pld_model *model) {
    pld_model_info info = {.struct_size = sizeof info};
    uint64_t bytes = 0;
    if (pld_model_get_info(model, &info, NULL) == PLD_OK) {
        for (size_t i = 0; i < info.part_count; i++) {
            bytes += info.parts[i]->bytes;
        }
    }
    return bytes;
}

/** Give back what was used longest ago until there is room, or nothing is left to give. */
static void make_room(open_models *models, uint64_t bytes) {
    while (models->count > 0 && (models->count == MOST_OPEN || !fits(models, bytes))) {
        size_t oldest = 0;
        for (size_t i = 1; i < models->count; i++) {
            oldest = models->items[i].used < models->items[oldest].used ? i : oldest;
        }
        give_back(models, oldest);
    }
}

/* ---- opening ---- */

/** Name and parts of a request's model, and the files of the parts. */
typedef struct wanted_model {
    shelf_item item, parts[PART_COUNT];
    char *key;
} wanted_model;

static pld_status find_wanted(const open_models *models, const job_request *request, wanted_model *wanted,
                              pld_error *error) {
    text_buffer key = {0};
    pld_status status = shelf_find_model(models->setting.things, request->model, &wanted->item, error);
    text_add(&key, wanted->item.path);
    for (size_t i = 0; status == PLD_OK && i < PART_COUNT; i++) {
        const pld_option_value *part = pld_options_get(request->options, "generate", part_options[i]);
        if (part->is_set) {
            status = shelf_find_model(models->setting.things, part->text, &wanted->parts[i], error);
            text_add_printed(&key, "\n%s %s", part_options[i], wanted->parts[i].path);
        }
    }
    wanted->key = text_take(&key);
    return status != PLD_OK ? status : wanted->key != NULL ? PLD_OK : out_of_memory(error);
}

static const char *path_or_null(const shelf_item *item) {
    return item->path[0] != '\0' ? item->path : NULL;
}

static pld_status open_wanted(open_models *models, wanted_model *wanted, open_model **opened,
                              pld_error *error) {
    pld_model_options files = *models->setting.files;
    pld_model *base = NULL;
    files.vae = path_or_null(&wanted->parts[0]);
    files.unet = path_or_null(&wanted->parts[1]);
    files.text_encoder = path_or_null(&wanted->parts[2]);
    files.text_encoder_2 = path_or_null(&wanted->parts[3]);
    files.text_encoder_3 = path_or_null(&wanted->parts[4]);
    const pld_status status =
        pld_model_open_with(models->setting.engine, wanted->item.path, &files, &base, error);
    if (status != PLD_OK) {
        return status;
    }
    make_room(models, bytes_of(base));
    open_model made = {.key = wanted->key, .base = base};
    memcpy(made.name, wanted->item.name, sizeof made.name);
    wanted->key = NULL;
    pthread_mutex_lock(&models->mutex);
    *opened = &models->items[models->count];
    models->items[models->count++] = made;
    pthread_mutex_unlock(&models->mutex);
    atomic_fetch_add(&models->setting.counters->models_opened, 1);
    return PLD_OK;
}

static open_model *find_open(open_models *models, const char *key) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->items[i].key, key) == 0) {
            return &models->items[i];
        }
    }
    return NULL;
}

/** A session on the model with these LoRAs: the one that is there where they are the same. */
static pld_status use_loras(open_model *opened, const lora_list *loras, pld_error *error) {
    char *key = lora_list_key(loras);
    if (key == NULL) {
        return out_of_memory(error);
    }
    if (opened->session != NULL && strcmp(opened->loras, key) == 0) {
        free(key);
        return PLD_OK;
    }
    pld_session_destroy(&opened->session);
    pld_model_destroy(&opened->model);
    free(opened->loras);
    opened->loras = key;
    pld_status status = pld_model_with_loras(opened->base, loras->items, loras->count, &opened->model, error);
    return status == PLD_OK ? pld_session_create(opened->model, &opened->session, error) : status;
}

pld_status open_models_use(open_models *models, const job_request *request, const lora_list *loras,
                           model_in_use *used, pld_error *error) {
    wanted_model *wanted = calloc(1, sizeof *wanted);
    if (wanted == NULL) {
        return out_of_memory(error);
    }
    pld_status status = find_wanted(models, request, wanted, error);
    open_model *opened = status == PLD_OK ? find_open(models, wanted->key) : NULL;
    if (status == PLD_OK && opened == NULL) {
        status = open_wanted(models, wanted, &opened, error);
    }
    free(wanted->key);
    free(wanted);
    if (status != PLD_OK) {
        return status;
    }
    opened->used = ++models->turn;
    status = use_loras(opened, loras, error);
    *used = (model_in_use){opened->model, opened->session};
    return status;
}
