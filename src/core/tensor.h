/* SPDX-License-Identifier: Apache-2.0 */
/** A view of numbers that somebody else owns. */
#ifndef PLD_CORE_TENSOR_H
#define PLD_CORE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"

enum { PLD_MAX_RANK = 64 };

/** Dense, last axis fastest. Non-owning. */
typedef struct pld_tensor {
    pld_dtype dtype;
    int rank;
    int64_t shape[PLD_MAX_RANK];
    void *data;
} pld_tensor;

/** Product of the shape; false when a dimension is negative or the product times the
 * type's size overflows. */
bool pld_shape_elements(const int64_t *shape, int rank, size_t element_size, size_t *elements);

/** "[2, 77, 768]" into `text`; returns `text`. */
const char *pld_shape_text(const int64_t *shape, int rank, char *text, size_t size);

#endif
