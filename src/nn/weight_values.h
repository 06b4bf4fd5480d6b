/* SPDX-License-Identifier: Apache-2.0 */
/** Stored numbers as float32. */
#ifndef PLD_NN_WEIGHT_VALUES_H
#define PLD_NN_WEIGHT_VALUES_H

#include "io/weight_files.h"
#include "kernels/kernels.h"

/** Elements [first, first + count) of a floating-point tensor into `out`, through a small block of memory. */
pld_status pld_weight_values(const pld_kernels *kernels, const pld_weight *weight, size_t first, size_t count,
                             float *out, pld_error *error);

/** All of a tensor into new memory, to be freed with pld_free. */
pld_status pld_weight_all_values(const pld_kernels *kernels, const pld_weight *weight, float **values,
                                 pld_error *error);

#endif
