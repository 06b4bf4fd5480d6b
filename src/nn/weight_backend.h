/* SPDX-License-Identifier: Apache-2.0 */
/** What weights need of a backend: memory for the forms in which it wants them, and arithmetic on their way there. */
#ifndef PLD_NN_WEIGHT_BACKEND_H
#define PLD_NN_WEIGHT_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/dtype.h"
#include "core/status.h"

/** The product of two factors of a weight's change (nn/weight_change.h). */
typedef struct pld_factor_product {
    const float *left;  /**< [rows, inner] */
    const float *right; /**< [inner, columns] */
    size_t rows, inner, columns;
    bool accumulate;
} pld_factor_product;

/** Functions on numbers in the host's memory but for those that allocate, whose memory is the device's. They may be called
 * from several threads. */
typedef struct pld_weight_functions {
    /** 64-byte aligned; NULL: there is none left. */
    void *(*allocate)(const void *device, size_t bytes);
    void (*free)(const void *device, void *memory);
    /** `count` stored elements of a type of weights, of any alignment → float32; of quantised ones whole blocks. */
    void (*to_f32)(const void *device, pld_dtype dtype, const void *stored, size_t count, float *out);
    /** out [rows, columns] = left · right, or added to it. The result does not depend on the number of threads. */
    pld_status (*multiply)(const void *device, const pld_factor_product *product, float *out,
                           pld_error *error);
} pld_weight_functions;

typedef struct pld_weight_backend {
    const pld_weight_functions *functions;
    const void *device; /**< what they are told; outlives whoever has this */
    int threads;        /**< of loops over weights on the host */
} pld_weight_backend;

#endif
