/* SPDX-License-Identifier: Apache-2.0 */
/** A backend computes plans on a kind of device. All that it can do is one table, in the spirit of libplacebo's pl_gpu_fns:
 * memory, weights, and code for each kind of operator.
 *
 *      pld_backend     the table: cpu/, null/
 *      pld_device      one of the kind, opened; shared between threads
 *      pld_executable  a plan on a device: its memory and what the backend keeps for each operator; of one thread
 *
 * The executor (executor.h) walks plans and calls the table. Nothing above it knows which backend runs. */
#ifndef PLD_BACKENDS_BACKEND_H
#define PLD_BACKENDS_BACKEND_H

#include "nn/attention_variant.h"
#include "nn/plan.h"
#include "nn/profile.h"
#include "nn/stretches.h"

typedef struct pld_backend pld_backend;

/** What is common to devices; a backend's own begins with it. */
typedef struct pld_device {
    const pld_backend *backend;
    pld_weight_backend weights; /**< for the parameters of networks that run on it */
    int threads;                /**< of the host that compute, where the device is the host */
    bool prefers_bf16;          /**< products of bfloat16 are faster than those of float32 */
    bool prefers_split;         /**< those of split operands are */
} pld_device;

typedef struct pld_device_options {
    int threads;
    const char *isa; /**< of a CPU: instruction set that it may use at the most, "avx2"; NULL: the best */
} pld_device_options;

/** What the operands of most products of a denoiser become: "f32", "bf16", "int8". */
typedef enum pld_product_type {
    PLD_PRODUCT_F32,
    PLD_PRODUCT_BF16,
    PLD_PRODUCT_INT8,
    PLD_PRODUCT_TYPES
} pld_product_type;

typedef enum pld_conv_choice { PLD_CONV_AUTO, PLD_CONV_DIRECT, PLD_CONV_WINOGRAD } pld_conv_choice;

/** How linear layers and convolutions are computed, as far as a backend has a choice. */
typedef struct pld_product_settings {
    pld_conv_choice conv; /**< AUTO: what is faster; the others: wherever they can, for tests */
    bool low_memory;      /**< drop what other networks hold before one is prepared */
    bool bf16;            /**< operands of products rounded to bfloat16, sums float32; where that pays */
    bool int8;            /**< operands of most products as 8-bit integers, with the exact sums of those */
    bool split;           /**< other operands as the sums of two bfloat16 numbers: nearly float32 */
    bool
        streamed; /**< weights of linear layers are read from their files where they are used, and not kept */
} pld_product_settings;

/** What one prompt gives to every evaluation of a network: values from outside its plan, computed once, in the order
 * in which the network takes them. Rows of a batch may have different ones. */
typedef struct pld_context {
    int64_t tokens;       /**< of the keys and values of cross-attentions */
    int64_t zero_keys;    /**< further keys of them whose logit and value are 0: padding without a mask */
    const pld_plan *plan; /**< whose offers they are, prepared on the same device; it has run */
} pld_context;

/** What an observer of attention sees: one row of the batch at one site, in memory of the host. */
typedef struct pld_attention_view {
    size_t site; /**< index into the plan's sites */
    pld_branch branch;
    const pld_attention_choice *choice;          /**< NULL: softmax */
    const struct pld_attention_problem *problem; /**< of the row; `out` and rows are not set */
    int64_t height, width; /**< grid of the queries; of a joint attention: of the picture's */
} pld_attention_view;

/** Memory that a plan at rest has left to the next one, so that it need not be cleared by the system again. */
typedef struct pld_spare_memory {
    pld_device *device;
    void *memory; /**< NULL: none */
    size_t bytes;
} pld_spare_memory;

/** Everything a plan needs from outside, to be prepared and to run. Zero what does not apply. */
typedef struct pld_run {
    pld_plan *plan;
    pld_device *device;            /**< of preparing; a prepared plan stays on its own */
    pld_product_settings settings; /**< of preparing */
    pld_spare_memory *spare;       /**< of preparing: where memory is left and found; NULL: nowhere */
    /** Of preparing: what makes weights that are not resident, for all runs of the plan; NULL: all weights are. */
    struct pld_read_ahead *read_ahead;
    int64_t
        context_tokens; /**< of preparing: the most that a context will have, if contexts are not there yet */
    int64_t context_zero_keys;            /**< likewise */
    const volatile int *cancel;           /**< looked at before each operator; may be NULL */
    const pld_variant_table *variants;    /**< NULL: softmax everywhere */
    const pld_branch *branch_of_row;      /**< [rows]; needed with variants. Rows of the evaluation, of which
                                               values may hold several as one (nn/row_groups.h) */
    const pld_context *const *contexts;   /**< [rows]; needed by what takes values from outside */
    const pld_context *negative_context;  /**< the second context of variants that have one (nag) */
    const pld_block_scales *block_scales; /**< FreeU; NULL: off */
    const int32_t *ids;                   /**< [batch, tokens] of text encoders */
    const double *timesteps;              /**< [rows] of denoisers; they enter as float32 */
    /** Called at each tap with a value that must not be changed, in memory of the host; may be NULL. */
    void (*tap)(void *user, const char *name, const pld_value *shape, const float *data);
    void *tap_user;
    pld_profile *profile; /**< where the time of each operator is noted; NULL: nowhere */
    /** Called before each attention at a site, once for each row; may be NULL. */
    void (*observe)(void *user, const pld_attention_view *view);
    void *observe_user;
} pld_run;

/** A plan that was prepared. */
typedef struct pld_executable {
    const pld_plan *plan;
    pld_device *device;
    pld_product_settings settings;
    int64_t context_tokens, context_zero_keys;
    const pld_run *run; /**< for which it is prepared, or that it does now */
    void *memory;       /**< of the device: values, then scratch */
    size_t held_bytes;  /**< of the memory */
    bool awake;         /**< it has its memory */
    size_t value_bytes; /**< where the scratch begins */
    size_t scratch_bytes;
    pld_spare_memory *spare;           /**< borrowed */
    struct pld_read_ahead *read_ahead; /**< borrowed; NULL: all weights are resident */
    pld_stretches
        stretches; /**< with a read-ahead: the weights that operators asked for by pld_keep_packed */
    void *state;   /**< the backend's own */
} pld_executable;

/** How numbers of an item [tokens, channels] lie on the host's side. */
typedef enum pld_number_order {
    PLD_TOKEN_MAJOR,   /**< [tokens, channels], as in a value */
    PLD_CHANNEL_MAJOR, /**< [channels, tokens], as torch has pictures */
} pld_number_order;

/** Numbers on their way between host and device. */
typedef struct pld_transfer {
    size_t offset; /**< in the device's memory, in floats */
    int64_t tokens, channels;
    pld_number_order order;
} pld_transfer;

/** What computes a kind of operator. */
typedef struct pld_operator_code {
    /** Choose a way, pack weights; NULL: there is nothing to do. */
    pld_status (*prepare)(pld_executable *executable, const pld_operator *op, pld_error *error);
    /** Bytes of scratch, when all operators are prepared; NULL: none. */
    size_t (*scratch)(const pld_executable *executable, const pld_operator *op);
    pld_status (*run)(pld_executable *executable, const pld_operator *op, pld_error *error);
} pld_operator_code;

struct pld_backend {
    const char *name; /**< "cpu" */
    pld_status (*open)(const pld_device_options *options, pld_device **device, pld_error *error);
    void (*close)(pld_device **device);

    /** Memory for values, 64-byte aligned; true unless there is none left. NULL and true: the backend needs none. */
    bool (*allocate)(pld_device *device, size_t bytes, void **memory);
    void (*free)(pld_device *device, void *memory);
    /** The memory as the host reads and writes it; NULL where the host has no way to it. */
    void *(*map)(pld_device *device, void *memory);
    pld_status (*write)(pld_device *device, void *memory, const pld_transfer *to, const float *from,
                        pld_error *error);
    pld_status (*read)(pld_device *device, const void *memory, const pld_transfer *from, float *to,
                       pld_error *error);

    /** Make the backend's state of an executable, before its operators are prepared. */
    pld_status (*begin)(pld_executable *executable, pld_error *error);
    /** All operators are prepared; NULL: nothing to do. */
    void (*settle)(pld_executable *executable);
    /** Give up memory that is made again when it is needed; NULL: there is none. */
    void (*rest)(pld_executable *executable);
    /** Free the state, of which perhaps only a part was made. */
    void (*end)(pld_executable *executable);

    const pld_operator_code *const *code; /**< [PLD_OPERATOR_KINDS] */
    /** What runs an operator that was prepared, for profiles: "winograd"; "" where there is no choice. */
    const char *(*implementation)(const pld_executable *executable, const pld_operator *op);
    /** Wait until all that was asked for is done; NULL: it is, when the code of an operator returns. */
    pld_status (*finish)(pld_device *device, pld_error *error);
};

extern const pld_backend pld_backend_cpu;
extern const pld_backend pld_backend_null;

#endif
