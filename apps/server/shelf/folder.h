/* SPDX-License-Identifier: Apache-2.0 */
/** The things of a folder that are models, or LoRAs. */
#ifndef PLADIS_SERVER_SHELF_FOLDER_H
#define PLADIS_SERVER_SHELF_FOLDER_H

#include "shelf/shelf.h"

typedef enum folder_kind { FOLDER_MODELS, FOLDER_LORAS } folder_kind;

/** Add an item unless one of its name is there. False: memory is out. */
bool folder_add(shelf_list *list, const shelf_item *item);

/** The same of a path, whose last part is the name. */
bool folder_add_path(shelf_list *list, const char *path);

/** Add what a folder has of a kind, in the order of names. False: memory is out; a folder that cannot be read has nothing. */
bool folder_list(const char *folder, folder_kind kind, shelf_list *list);

#endif
