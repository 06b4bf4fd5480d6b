/* SPDX-License-Identifier: Apache-2.0 */
/** Walks a plan on a backend. */
#ifndef PLD_BACKENDS_EXECUTOR_H
#define PLD_BACKENDS_EXECUTOR_H

#include "backends/backend.h"

/** Let a network run in bfloat16, or in float32. With bfloat16 it is the operands of products, but not of
 * text encoders, which steer every step; what stays float32 is split where that is faster. */
void pld_product_settings_set_bf16(pld_product_settings *settings, const pld_device *device, bool bf16,
                                   bool is_text_encoder);

/** Lay out (unless that is done), choose ways, pack weights, allocate. `cancel` is honoured. What is made is freed with the
 * plan, which may not be copied or moved from now on. */
pld_status pld_plan_prepare(pld_run *run, pld_error *error);

/** Give up a prepared plan's buffers while another network runs, if they are large: everything in them is
 * lost. They become the spare memory of the plan, or are freed where it has none or a larger one. Weights stay.
 */
void pld_plan_rest(pld_plan *plan);
/** Get the buffers of a prepared plan again, unless they are there. */
pld_status pld_plan_wake(pld_plan *plan, pld_error *error);
/** Free what a plan at rest has left. */
void pld_spare_memory_free(pld_spare_memory *spare);

/** Run all operators. PLD_ERROR_CANCELLED when *cancel became non-zero. */
pld_status pld_plan_run(pld_run *run, pld_error *error);

/** Bytes of a prepared plan's buffers (weights not counted). */
size_t pld_plan_memory_bytes(const pld_plan *plan);

/** Copy item `item` of a value of a prepared plan from the host or to it: numbers [height·width, channels] in an order. */
pld_status pld_plan_write(const pld_plan *plan, pld_value_id id, int64_t item, pld_number_order order,
                          const float *from, pld_error *error);
pld_status pld_plan_read(const pld_plan *plan, pld_value_id id, int64_t item, pld_number_order order,
                         float *to, pld_error *error);

/** A value of a prepared plan where the device's memory is the host's, else NULL: for tests and measurements. */
float *pld_plan_map(const pld_plan *plan, pld_value_id id);

/** What ran an operator of a prepared plan, for profiles. */
const char *pld_operator_implementation(const pld_plan *plan, const pld_operator *op);

/** pld_operator_shape and pld_operator_work with the texts of a run. */
const char *pld_run_operator_shape(const pld_run *run, const pld_operator *op, char *text, size_t size);
double pld_run_operator_work(const pld_run *run, const pld_operator *op);

#endif
