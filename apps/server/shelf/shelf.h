/* SPDX-License-Identifier: Apache-2.0 */
/** What the server has: models and LoRAs by their names. A client gives a name, which is looked for among those that are listed;
 *  no text of a client becomes part of a path. */
#ifndef PLADIS_SERVER_SHELF_SHELF_H
#define PLADIS_SERVER_SHELF_SHELF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <pladis/status.h>

enum { SHELF_NAME = 256 };

typedef struct shelf shelf;

/** Where things are. Texts are copied. */
typedef struct shelf_places {
    const char *const *models; /**< paths of models that were named [model_count], the first is the default */
    size_t model_count;
    const char *models_dir; /**< folder of further ones, or NULL */
    const char *lora_dir;   /**< folder of LoRAs, or NULL */
} shelf_places;

/** One thing of the shelf. */
typedef struct shelf_item {
    char name[SHELF_NAME]; /**< that of its file or folder */
    char path[PATH_MAX];
} shelf_item;

/** Things in the order of their names, those that were named first. Free with shelf_list_free. */
typedef struct shelf_list {
    shelf_item *items;
    size_t count;
} shelf_list;

pld_status shelf_create(const shelf_places *places, shelf **made, pld_error *error);
void shelf_destroy(shelf **freed);

/** What there is now. A folder that cannot be read is empty. */
pld_status shelf_models(shelf *asked, shelf_list *list, pld_error *error);
pld_status shelf_loras(shelf *asked, shelf_list *list, pld_error *error);
void shelf_list_free(shelf_list *list);

/** The model or LoRA of a name, with or without the ending of its file, or with what A1111 puts behind it (" [hash]").
 *  PLD_ERROR_MISSING, with a few names that there are. "" is the default model. */
pld_status shelf_find_model(shelf *asked, const char *name, shelf_item *found, pld_error *error);
pld_status shelf_find_lora(shelf *asked, const char *name, shelf_item *found, pld_error *error);

/** The folder of LoRAs, or NULL. */
const char *shelf_lora_dir(const shelf *asked);

/** The name of the default model, and another one in its place, which is found first. */
void shelf_default(shelf *asked, char name[SHELF_NAME]);
pld_status shelf_set_default(shelf *changed, const char *name, pld_error *error);

#endif
