/* SPDX-License-Identifier: Apache-2.0 */
#include "shelf/shelf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shelf/folder.h"

struct shelf {
    shelf_list named;
    char *models_dir, *lora_dir;
    pthread_mutex_t mutex; /* guards the default's name */
    char standard[SHELF_NAME];
};

static pld_status fail(pld_error *error, pld_status status, const char *message) {
    if (error != NULL) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s", message);
    }
    return status;
}

pld_status shelf_create(const shelf_places *places, shelf **made, pld_error *error) {
    shelf *created = calloc(1, sizeof *created);
    *made = created;
    if (created == NULL) {
        return fail(error, PLD_ERROR_MEMORY, "out of memory for the list of models");
    }
    pthread_mutex_init(&created->mutex, NULL);
    created->models_dir = places->models_dir != NULL ? strdup(places->models_dir) : NULL;
    created->lora_dir = places->lora_dir != NULL ? strdup(places->lora_dir) : NULL;
    bool done = (places->models_dir == NULL) == (created->models_dir == NULL) &&
                (places->lora_dir == NULL) == (created->lora_dir == NULL);
    for (size_t i = 0; done && i < places->model_count; i++) {
        done = folder_add_path(&created->named, places->models[i]);
    }
    shelf_list all = {0};
    pld_status status =
        done ? shelf_models(created, &all, error) : fail(error, PLD_ERROR_MEMORY, "out of memory");
    if (status == PLD_OK && all.count > 0) {
        memcpy(created->standard, all.items[0].name, SHELF_NAME);
    } else if (status == PLD_OK) {
        status = fail(error, PLD_ERROR_MISSING,
                      "no model; give one with -m, or a folder that has some with --models-dir");
    }
    shelf_list_free(&all);
    if (status != PLD_OK) {
        shelf_destroy(made);
    }
    return status;
}

void shelf_destroy(shelf **freed) {
    if (*freed != NULL) {
        shelf_list_free(&(*freed)->named);
        free((*freed)->models_dir);
        free((*freed)->lora_dir);
        pthread_mutex_destroy(&(*freed)->mutex);
        free(*freed);
        *freed = NULL;
    }
}

void shelf_list_free(shelf_list *list) {
    free(list->items);
    *list = (shelf_list){0};
}

pld_status shelf_models(shelf *asked, shelf_list *list, pld_error *error) {
    *list = (shelf_list){0};
    bool done = true;
    for (size_t i = 0; done && i < asked->named.count; i++) {
        done = folder_add(list, &asked->named.items[i]);
    }
    if (done && (asked->models_dir == NULL || folder_list(asked->models_dir, FOLDER_MODELS, list))) {
        return PLD_OK;
    }
    shelf_list_free(list);
    return fail(error, PLD_ERROR_MEMORY, "out of memory for the list of models");
}

pld_status shelf_loras(shelf *asked, shelf_list *list, pld_error *error) {
    *list = (shelf_list){0};
    if (asked->lora_dir == NULL || folder_list(asked->lora_dir, FOLDER_LORAS, list)) {
        return PLD_OK;
    }
    shelf_list_free(list);
    return fail(error, PLD_ERROR_MEMORY, "out of memory for the list of LoRAs");
}

/** Whether a client means this thing by the `length` bytes of `name`. */
static bool is_called(const shelf_item *item, const char *name, size_t length) {
    const size_t whole = strlen(item->name);
    const char *dot = strrchr(item->name, '.');
    const bool ending = dot != NULL && (strcmp(dot, ".safetensors") == 0 || strcmp(dot, ".gguf") == 0);
    return (length == whole && memcmp(item->name, name, length) == 0) ||
           (ending && length == (size_t)(dot - item->name) && memcmp(item->name, name, length) == 0);
}

/** Length of a name without the hash that A1111 writes behind it. */
static size_t plain_length(const char *name) {
    const size_t length = strlen(name);
    const char *bracket = strrchr(name, '[');
    return length > 0 && name[length - 1] == ']' && bracket != NULL && bracket > name && bracket[-1] == ' '
               ? (size_t)(bracket - 1 - name)
               : length;
}

/** Find `name` in a list that is given back then. */
static pld_status find_in(shelf_list *list, const char *what, const char *name, shelf_item *found,
                          pld_error *error) {
    enum { NAMES_SHOWN = 8 };
    const size_t length = plain_length(name);
    for (size_t i = 0; i < list->count; i++) {
        if (is_called(&list->items[i], name, length)) {
            *found = list->items[i];
            shelf_list_free(list);
            return PLD_OK;
        }
    }
    char message[PLD_ERROR_MESSAGE_SIZE];
    size_t used =
        (size_t)snprintf(message, sizeof message, "%s: found \"%.100s\", expected one of the server's%s",
                         what, name, list->count > 0 ? ": " : ", which has none");
    for (size_t i = 0; i < list->count && i < NAMES_SHOWN && used < sizeof message; i++) {
        used += (size_t)snprintf(message + used, sizeof message - used, "%s%.60s", i > 0 ? ", " : "",
                                 list->items[i].name);
    }
    shelf_list_free(list);
    pld_make_printable(message);
    return fail(error, PLD_ERROR_MISSING, message);
}

pld_status shelf_find_model(shelf *asked, const char *name, shelf_item *found, pld_error *error) {
    char standard[SHELF_NAME];
    shelf_list list;
    shelf_default(asked, standard);
    const pld_status status = shelf_models(asked, &list, error);
    return status == PLD_OK ? find_in(&list, "model", name[0] != '\0' ? name : standard, found, error)
                            : status;
}

pld_status shelf_find_lora(shelf *asked, const char *name, shelf_item *found, pld_error *error) {
    shelf_list list;
    const pld_status status = shelf_loras(asked, &list, error);
    return status == PLD_OK ? find_in(&list, "lora", name, found, error) : status;
}

const char *shelf_lora_dir(const shelf *asked) {
    return asked->lora_dir;
}

void shelf_default(shelf *asked, char name[SHELF_NAME]) {
    pthread_mutex_lock(&asked->mutex);
    memcpy(name, asked->standard, SHELF_NAME);
    pthread_mutex_unlock(&asked->mutex);
}

pld_status shelf_set_default(shelf *changed, const char *name, pld_error *error) {
    shelf_item found;
    const pld_status status = shelf_find_model(changed, name, &found, error);
    if (status == PLD_OK) {
        pthread_mutex_lock(&changed->mutex);
        memcpy(changed->standard, found.name, SHELF_NAME);
        pthread_mutex_unlock(&changed->mutex);
    }
    return status;
}
