/* SPDX-License-Identifier: Apache-2.0 */
/** Changes of a weight that a LoRA file brings, applied to float32 values on their way to being packed. */
#ifndef PLD_NN_WEIGHT_CHANGE_H
#define PLD_NN_WEIGHT_CHANGE_H

#include "io/tensors/weight_files.h"
#include "loras/file.h"
#include "nn/weight_backend.h"

/** A weight [out, in, …], rows of `row` = in · kernel · kernel numbers. */
typedef struct pld_weight_shape {
    int rank;
    int64_t size[4]; /**< [rank] */
    size_t out, row;
} pld_weight_shape;

/** From a bound shape of 1 to 4 dimensions. */
pld_weight_shape pld_weight_shape_of(const int64_t *size, int rank);

/** One change of one tensor: W + strength · alpha/rank · ΔW (or the bias of the module). Borrows. */
typedef struct pld_weight_change {
    const pld_lora_file *file;
    const pld_lora_module *module;
    double strength;
    bool bias; /**< it is the module's bias that is changed */
    pld_row_part
        rows; /**< of the change, where the file's module is a fused matrix of which the tensor is a part */
} pld_weight_change;

/** Whether the factors fit the weight. PLD_ERROR_FORMAT names file, tensor, expected and found shape. */
pld_status pld_weight_change_check(const pld_weight_change *change, const pld_weight_shape *shape,
                                   pld_error *error);

/** Bytes that applying a change takes beside the values, but for the factors of a product, which are small. */
size_t pld_weight_change_room(const pld_weight_change *change, const pld_weight_shape *shape);

/** values[out · row] += the change, which has been checked. */
pld_status pld_weight_change_apply(const pld_weight_change *change, const pld_weight_shape *shape,
                                   const pld_weight_backend *backend, float *values, pld_error *error);

#endif
