/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures that were drawn, kept in a folder: each a PNG that tells how it was made, written whole or not at all. */
#ifndef PLADIS_SERVER_HISTORY_HISTORY_H
#define PLADIS_SERVER_HISTORY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pladis/status.h>

#include "base/json.h"

enum { HISTORY_NAME = 64, HISTORY_MOST = 2000 };

typedef struct history history;

/** Look through `folder`, which is made where it is missing, for pictures that were kept before. NULL: nothing is kept. */
pld_status history_open(const char *folder, history **opened, pld_error *error);
void history_close(history **closed);

bool history_is_kept(const history *asked);

/** Keep a PNG, picture `number` of a job, in the place of the oldest where there are HISTORY_MOST. `name` becomes "" where
 *  nothing is kept. */
pld_status history_add(history *changed, const void *png, size_t size, const char *job, int number,
                       char name[HISTORY_NAME], pld_error *error);

/** The bytes of one that is kept under this name, which the caller frees. */
pld_status history_read(history *asked, const char *name, uint8_t **png, size_t *size, pld_error *error);
pld_status history_remove(history *changed, const char *name, pld_error *error);

/** Names, the newest first: `most` of those that are older than `before` (""; all). */
json_t *history_list(history *asked, const char *before, size_t most);
size_t history_count(history *asked);

#endif
