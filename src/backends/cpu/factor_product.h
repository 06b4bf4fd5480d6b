/* SPDX-License-Identifier: Apache-2.0 */
/** The product of two factors of a weight's change. */
#ifndef PLD_BACKENDS_CPU_FACTOR_PRODUCT_H
#define PLD_BACKENDS_CPU_FACTOR_PRODUCT_H

#include "kernels/kernels.h"
#include "nn/weight_backend.h"

/** out [rows, columns] = left · right, or added to it. The result does not depend on the number of threads. */
pld_status pld_factor_product_run(const pld_factor_product *product, const pld_kernels *kernels, int threads,
                                  float *out, pld_error *error);

#endif
