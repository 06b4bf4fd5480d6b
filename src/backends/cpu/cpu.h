/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the CPU's backend share: a device's kernels, and what is kept for each operator of a plan. */
#ifndef PLD_BACKENDS_CPU_CPU_H
#define PLD_BACKENDS_CPU_CPU_H

#include "backends/executor.h"
#include "kernels/kernels.h"

typedef struct pld_cpu_device {
    pld_device device;
    const pld_kernels *kernels;
} pld_cpu_device;

/** What is kept for an operator, beside its description. */
typedef struct pld_cpu_operator {
    const struct pld_product_path *path; /**< of a product */
    pld_packed packed;                   /**< of a product: its weight */
    const float *weight, *bias;          /**< of norms and tables their values, of products the bias */
    pld_parameter *weight_of, *bias_of;  /**< whose values these are */
} pld_cpu_operator;

/** pld_executable.state */
typedef struct pld_cpu_plan {
    pld_cpu_operator *operators; /**< [plan->operator_count] */
    bool *rounded; /**< [plan->value_count]: pairs of bfloat16 (kernels/pairs.h) stand in the value's place */
    float **constants; /**< [plan->constant_count]; NULL before it is made */
    float *spare;      /**< of attention variants that need some, [PLD_SPARE_COUNT, spare_floats] */
    size_t spare_floats;
} pld_cpu_plan;

static inline const pld_kernels *pld_cpu_kernels(const pld_executable *executable) {
    return ((const pld_cpu_device *)executable->device)->kernels;
}

static inline int pld_cpu_threads(const pld_executable *executable) {
    return executable->device->threads;
}

/** Threads for an operator that touches `floats` numbers: one where a second would cost more to wake than it
 * saves. */
static inline int pld_cpu_threads_for(const pld_executable *executable, size_t floats) {
    enum { WORTH_A_THREAD = 1 << 15 };
    return floats < WORTH_A_THREAD ? 1 : pld_cpu_threads(executable);
}

static inline pld_cpu_plan *pld_cpu_plan_of(const pld_executable *executable) {
    return executable->state;
}

static inline pld_cpu_operator *pld_cpu_operator_of(const pld_executable *executable,
                                                    const pld_operator *op) {
    return &pld_cpu_plan_of(executable)->operators[op - executable->plan->operators];
}

static inline bool pld_cpu_is_rounded(const pld_executable *executable, pld_value_id id) {
    return pld_cpu_plan_of(executable)->rounded[id];
}

static inline const pld_value *pld_value_at(const pld_executable *executable, pld_value_id id) {
    return &executable->plan->values[id];
}

/** Address of a value. */
static inline float *pld_cpu_data(const pld_executable *executable, pld_value_id id) {
    return (float *)executable->memory + executable->plan->values[id].offset;
}

/** The same, or NULL for PLD_NO_VALUE. */
static inline float *pld_cpu_data_or_null(const pld_executable *executable, pld_value_id id) {
    return id == PLD_NO_VALUE ? NULL : pld_cpu_data(executable, id);
}

static inline void *pld_cpu_scratch(const pld_executable *executable) {
    return (char *)executable->memory + executable->value_bytes;
}

/** A value from outside. */
static inline const float *pld_cpu_outside(const pld_context *context, int number) {
    const pld_plan *plan = context->plan;
    return pld_cpu_data(plan->executable, plan->offers[number]);
}

/** Where the item of `from` stands that goes with item `b` of `to`. */
static inline int64_t pld_item_for(const pld_value *from, const pld_value *to, int64_t b) {
    return pld_group_of_row(&from->groups, pld_row_of_group(&to->groups, b));
}

static inline size_t pld_value_tokens(const pld_value *value) {
    return (size_t)(value->height * value->width);
}

/** Floats of one item of a value. */
static inline size_t pld_item_floats(const pld_value *value) {
    return pld_value_tokens(value) * (size_t)value->channels;
}

/** Address of a slice for item `b` of a value; NULL for PLD_NO_SLICE. */
const float *pld_slice_at(const pld_executable *executable, pld_slice slice, const pld_value *of, int64_t b);

/** Floats from a slice of one item of its value to that of the next; 0 where one item stands for all. */
int64_t pld_slice_step(const pld_plan *plan, pld_slice slice);

/** How a gate's activation is computed; PLD_ERROR_UNSUPPORTED where there is no kernel. `name` is the operator's. */
pld_status pld_cpu_gate_kind(pld_activation activation, const char *name, pld_gate_kind *kind,
                             pld_error *error);

/** The kernel of an activation. */
void (*pld_cpu_activation_kernel(const pld_kernels *kernels, pld_activation activation))(const float *,
                                                                                         size_t, float *);

/** Have an operator keep all values of a parameter (NULL: of none) as its weight or bias. */
pld_status pld_cpu_keep_weight(const pld_executable *executable, const pld_operator *op,
                               pld_parameter *parameter, pld_error *error);
pld_status pld_cpu_keep_bias(const pld_executable *executable, const pld_operator *op,
                             pld_parameter *parameter, pld_error *error);

/** Context of loops over tokens. */
typedef struct pld_token_task {
    const pld_executable *e;
    const pld_operator *op;
} pld_token_task;

/** Split the tokens of all items of a value among the threads; `body`'s context is a pld_token_task. */
void pld_cpu_over_tokens(const pld_executable *executable, const pld_operator *op, pld_value_id of,
                         void (*body)(void *context, size_t begin, size_t end, int thread));

/** Address of token `token` (over all items) of a value. */
float *pld_cpu_token(const pld_token_task *task, pld_value_id id, size_t token);

#endif
