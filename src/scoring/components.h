/* SPDX-License-Identifier: Apache-2.0 */
/** Connected parts of a mask. */
#ifndef PLD_SCORING_COMPONENTS_H
#define PLD_SCORING_COMPONENTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct pld_component {
    int left, top, right, bottom; /**< bounding box; right and bottom are behind it */
    size_t area;                  /**< pixels */
} pld_component;

typedef struct pld_components {
    int32_t *labels; /**< [height, width]: 0 is background, else 1 + index into items */
    pld_component *items;
    size_t count, capacity;
} pld_components;

/** The 4-connected components of `mask` [height, width] (non-zero is set), in the order of their first
 * pixels. Free with pld_components_free, also after a failure. */
pld_status pld_components_find(const uint8_t *mask, int width, int height, pld_components *components,
                               pld_error *error);
void pld_components_free(pld_components *components);

#endif
