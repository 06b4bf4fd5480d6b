/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tensor.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/memory.h"

bool pld_shape_elements(const int64_t *shape, int rank, size_t element_size, size_t *elements) {
    size_t product = 1;
    bool zero = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0) {
            return false;
        }
        zero = zero || shape[i] == 0;
        if (shape[i] > 0 && !pld_multiply(product, (size_t)shape[i], &product)) {
            return false; /* refused even beside a zero: such a shape is no honest one */
        }
    }
    size_t bytes = 0;
    *elements = zero ? 0 : product;
    return pld_multiply(product, element_size, &bytes);
}

const char *pld_shape_text(const int64_t *shape, int rank, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < rank && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i ? ", " : "", shape[i]);
    }
    if (used < size) {
        snprintf(text + used, size - used, "]");
    }
    return text;
}
