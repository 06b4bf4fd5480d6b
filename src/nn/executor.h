/* SPDX-License-Identifier: Apache-2.0 */
/** Walks a plan. */
#ifndef PLD_NN_EXECUTOR_H
#define PLD_NN_EXECUTOR_H

#include "nn/attention_variant.h"
#include "nn/plan.h"
#include "nn/profile.h"

/** What one prompt gives to every evaluation of a network: values from outside its plan, computed once, in the order
 * in which the network takes them (build.h: pld_outside). Rows of a batch may have different ones. */
typedef struct pld_context {
    int64_t tokens;              /**< of the keys and values of cross-attentions */
    const float *const *outside; /**< [the network's number], each of the size that its operator reads */
} pld_context;

typedef enum pld_conv_choice { PLD_CONV_AUTO, PLD_CONV_DIRECT, PLD_CONV_WINOGRAD } pld_conv_choice;

/** How linear layers and convolutions are computed. */
typedef struct pld_product_settings {
    pld_conv_choice conv; /**< AUTO: own ways where they are faster; WINOGRAD: wherever they can, for tests */
    bool low_memory;      /**< drop what other networks hold before one is prepared */
    /* product_pairs.c */
    bool bf16;  /**< operands of products rounded to bfloat16, sums float32; where that pays */
    bool split; /**< other operands as the sums of two bfloat16 numbers: nearly float32 */
} pld_product_settings;

/** Let a network run in bfloat16, or in float32. With bfloat16 it is the operands of products, but not of
 * text encoders, which steer every step; what stays float32 is split where that is faster. */
void pld_product_settings_set_bf16(pld_product_settings *settings, pld_isa isa, bool bf16,
                                   bool is_text_encoder);

/** What an observer of attention sees: one row of the batch at one site. */
typedef struct pld_attention_view {
    size_t site; /**< index into the plan's sites */
    pld_branch branch;
    const pld_attention_choice *choice;   /**< NULL: softmax */
    const pld_attention_problem *problem; /**< of the row; `out` and rows are not set */
    int64_t height, width;                /**< grid of the queries */
} pld_attention_view;

/** Everything a plan needs from outside. Zero what does not apply. */
typedef struct pld_run {
    pld_plan *plan;
    const pld_kernels *kernels;
    int threads;
    pld_product_settings settings;
    const volatile int *cancel;           /**< looked at before each operator; may be NULL */
    const pld_variant_table *variants;    /**< NULL: softmax everywhere */
    const pld_branch *branch_of_row;      /**< [rows]; needed with variants. Rows of the evaluation, of which
                                               values may hold several as one (row_groups.h) */
    const pld_context *const *contexts;   /**< [rows]; needed by cross-attention */
    const pld_context *negative_context;  /**< the second context of variants that have one (nag) */
    float *attention_spare;               /**< PLD_SPARE_COUNT buffers, for variants that need them */
    size_t attention_spare_floats;        /**< of one buffer: at least pld_plan_attention_floats */
    const pld_block_scales *block_scales; /**< FreeU; NULL: off */
    int64_t context_tokens; /**< while preparing: the most that a context will have, if contexts are not there
                               yet */
    const int32_t *ids;     /**< [batch, height] token ids, of text encoders */
    const float *timesteps; /**< [rows], of denoisers */
    /** Called at each tap with a value that must not be changed; may be NULL. */
    void (*tap)(void *user, const char *name, const pld_value *shape, const float *data);
    void *tap_user;
    pld_profile *profile; /**< where the time of each operator is noted; NULL: nowhere */
    /** Called before each attention at a site, once for each row, with its sizes, query, key and value; may
     * be NULL. */
    void (*observe)(void *user, const pld_attention_view *view);
    void *observe_user;
} pld_run;

/** Lay out (unless that is done), choose ways, pack weights, allocate. `cancel` is honoured. */
pld_status pld_plan_prepare(pld_run *run, pld_error *error);

/** Give up a prepared plan's buffers while another network runs, if they are large: everything in them is
 * lost. They become the spare memory of the plan, or are freed where it has none or a larger one. Weights stay.
 */
void pld_plan_rest(pld_plan *plan);
/** Get the buffers of a prepared plan again, unless they are there. */
pld_status pld_plan_wake(pld_plan *plan, pld_error *error);

/** Run all operators. PLD_ERROR_CANCELLED when *cancel became non-zero. */
pld_status pld_plan_run(pld_run *run, pld_error *error);

/** Bytes that preparing would allocate for buffers (weights not counted). The plan must be laid out. */
size_t pld_plan_memory_bytes(const pld_plan *plan);

/** Floats of the largest output of an attention at a site. */
size_t pld_plan_attention_floats(const pld_plan *plan);

/** Threads for an operator that touches `floats` numbers: one where a second would cost more to wake than it
 * saves. */
int pld_threads_for(const pld_run *run, size_t floats);

#endif
