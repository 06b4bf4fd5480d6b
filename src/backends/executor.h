/* SPDX-License-Identifier: Apache-2.0 */
/** Walks a plan on a backend. */
#ifndef PLD_BACKENDS_EXECUTOR_H
#define PLD_BACKENDS_EXECUTOR_H

#include "backends/backend.h"

/** The type of this name, "f32", "bf16" or "int8"; NULL and "auto": what is faster on the device of float32 and bfloat16.
 * False for other names. */
bool pld_product_type_from_name(const char *name, const pld_device *device, pld_product_type *type);
const char *pld_product_type_name(pld_product_type type);

/** What a network is to a run. */
typedef enum pld_product_role {
    PLD_PRODUCTS_OF_TEXT,
    PLD_PRODUCTS_OF_DENOISER,
    PLD_PRODUCTS_OF_AUTOENCODER
} pld_product_role;

/** Let a network run in a type of products, in bfloat16 not those of text encoders, which steer every step; in 8 bits those of
 * a denoiser alone. What 8 bits leave is bfloat16 where that is faster than float32; what stays float32 is split where that is
 * faster. */
void pld_product_settings_set_type(pld_product_settings *settings, const pld_device *device,
                                   pld_product_type type, pld_product_role role);

/** Lay out (unless that is done), choose ways, pack weights, allocate. `cancel` is honoured. What is made is freed with the
 * plan, which may not be copied or moved from now on. With a read-ahead all of its weights are streamed that may be. */
pld_status pld_plan_prepare(pld_run *run, pld_error *error);

/** The same in three steps, of a run with a read-ahead: choose ways, and note what weights that takes; say how much memory
 * they may have (pld_plan_settle); allocate (pld_plan_wake, which may come first). */
pld_status pld_plan_choose(pld_run *run, pld_error *error);

/** What the weights of a plan whose ways are chosen will take. */
pld_stretches_need pld_plan_weights_need(const pld_plan *plan);

/** Make those weights resident that have room, and memory for the others (nn/stretches.h). */
pld_status pld_plan_settle(pld_plan *plan, uint64_t room, bool all_streamed, pld_error *error);

/** What is resident of a plan's weights and what is streamed; zeros where it has no read-ahead. */
pld_stretches_share pld_plan_weights_share(const pld_plan *plan);

/** For backends: have an operator hold a packed weight while the plan lives, or, with a read-ahead, perhaps only while it runs.
 * Until then `place` is empty. An operator has one such weight. */
pld_status pld_keep_packed(pld_executable *executable, const pld_operator *op, pld_parameter *parameter,
                           const pld_packing *packing, pld_packed *place, pld_error *error);

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
