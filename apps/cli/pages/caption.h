/* SPDX-License-Identifier: Apache-2.0 */
/** Texts of a page that are made while it is laid out. Zero at the start. */
#ifndef PLADIS_CLI_PAGES_CAPTION_H
#define PLADIS_CLI_PAGES_CAPTION_H

#include <stdbool.h>
#include <stddef.h>

#include <pladis/status.h>

/** Texts that live as long as the page; `failed` once one could not be made. */
typedef struct captions {
    char **items;
    size_t count, room;
    bool failed;
} captions;

/** Make one and keep it; "" after a failure, which captions_failed tells of at the end. */
const char *captions_add(captions *c, const char *format, ...) PLD_PRINTF(2, 3);

/** False, or true after an error line about `what` ("the grid"). */
bool captions_failed(const captions *c, const char *what);

void captions_free(captions *c);

#endif
