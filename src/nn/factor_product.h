/* SPDX-License-Identifier: Apache-2.0 */
/** The product of two factors of a weight's change (nn/weight_change.h). */
#ifndef PLD_NN_FACTOR_PRODUCT_H
#define PLD_NN_FACTOR_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "kernels/kernels.h"

typedef struct pld_factor_product {
    const float *left;  /**< [rows, inner] */
    const float *right; /**< [inner, columns] */
    size_t rows, inner, columns;
    bool accumulate;
} pld_factor_product;

/** out [rows, columns] = left · right, or added to it. The result does not depend on the number of threads. */
pld_status pld_factor_product_run(const pld_factor_product *product, const pld_kernels *kernels, int threads,
                                  float *out, pld_error *error);

#endif
