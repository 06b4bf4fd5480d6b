/* SPDX-License-Identifier: Apache-2.0 */
/** A network for one shape, as a list of operators over values; built by build.h, run by executor.h.
 *
 *  A value is a buffer [batch, height·width, channels] of float32 in NHWC (token-major) order. Operators
 * append in the order in which they run, so the first and last operator that touches a value bound its life,
 * and values whose lives do not overlap share memory:
 *
 *      | value 0 | value 3 (0 is dead) … | outputs, never shared | scratch of the largest operator |
 *
 *  A plan is built without weights' data and without memory; pld_plan_prepare packs the weights and
 * allocates.
 */
#ifndef PLD_NN_PLAN_H
#define PLD_NN_PLAN_H

#include "core/branch.h"
#include "nn/parameters.h"

enum { PLD_PLAN_NAME = 96 };

/** Memory that a plan at rest has left to the next one, so that it need not be cleared by the system again.
 */
typedef struct pld_spare_memory {
    void *data;
    size_t bytes;
} pld_spare_memory;

/** Index of a value in its plan. */
typedef int pld_value_id;
enum { PLD_NO_VALUE = -1 };

/** Numbers inside a value: of each row of the batch those from number `first` of its first token on. */
typedef struct pld_slice {
    pld_value_id value;
    int64_t first;
} pld_slice;

#define PLD_NO_SLICE ((pld_slice){PLD_NO_VALUE, 0})

/** A table that depends on shapes alone: made when the plan is prepared, and kept by it. */
typedef struct pld_constant {
    void (*fill)(const void *description, float *table);
    int64_t description[8]; /**< what `fill` is told, a struct of the network's */
    size_t floats;
    float *table; /**< NULL before it is made */
} pld_constant;

typedef enum pld_value_life {
    PLD_VALUE_TEMPORARY, /**< memory shared with others after its last use */
    PLD_VALUE_KEPT,      /**< an input or output of the plan: has memory of its own */
} pld_value_life;

/** Which rows of the batch a value holds once for several (row_groups.h). */
typedef struct pld_row_groups {
    int8_t count;                    /**< of groups; 0: each row of the batch by itself */
    int8_t rows;                     /**< of the batch */
    int8_t of_row[PLD_BRANCH_COUNT]; /**< [rows] the group of a row */
    int8_t first[PLD_BRANCH_COUNT];  /**< [count] the row that stands for a group */
} pld_row_groups;

/** The row of the batch for which item `index` of a value stands. */
static inline int64_t pld_row_of_group(const pld_row_groups *groups, int64_t index) {
    return groups->count ? groups->first[index] : index;
}

/** Where a row of the batch stands in a value. */
static inline int64_t pld_group_of_row(const pld_row_groups *groups, int64_t row) {
    return groups->count ? groups->of_row[row] : row;
}

typedef struct pld_value {
    int64_t batch, height, width, channels; /**< batch: rows, or groups of them */
    pld_row_groups groups;
    pld_value_life life;
    bool rounded;    /**< by preparing: pairs of bfloat16 (kernels/pairs.h) at the beginning of its place */
    int first, last; /**< operators; -1 before any */
    int held;        /**< by the layout: the last operator that needs its place */
    pld_value_id narrows; /**< PLD_NO_VALUE, or one of as many tokens and more channels, of which it is made
                             in place: by a linear layer that is the last to read that one */
    size_t offset;        /**< in floats, from the plan's memory */
} pld_value;

struct pld_operator;
struct pld_run;

/** What an operator does. A new kind of operator is one of these. */
typedef struct pld_operator_kind {
    const char *name; /**< for profiles: "conv", "linear", "attention" */
    /** Choose a way and pack weights; may be NULL. */
    pld_status (*prepare)(struct pld_run *run, struct pld_operator *op, pld_error *error);
    /** Bytes of scratch; may be NULL. */
    size_t (*scratch)(const struct pld_run *run, const struct pld_operator *op);
    pld_status (*run)(struct pld_run *run, struct pld_operator *op, pld_error *error);
} pld_operator_kind;

/** A convolution out [B, Ho, Wo, N] of x [B, H, W, C] with weight [N, C, kernel, kernel], or, with kernel 0,
 * a linear layer: rows [B·H·W, C] times weight [N, C] transposed. */
typedef struct pld_product_problem {
    int64_t batch, height, width, in_channels;
    int64_t out_height, out_width, out_channels;
    int64_t kernel; /**< 0: linear */
    int64_t stride;
    int64_t pad_before, pad_after; /**< rows above and columns left; rows below and columns right */
    bool bias;
    bool accumulate; /**< out += result instead of out = result */
} pld_product_problem;

typedef struct pld_operator {
    const pld_operator_kind *kind;
    char name[PLD_PLAN_NAME]; /**< module path as in diffusers, "down_blocks.0.resnets.1.conv1" */
    pld_value_id in, second, out;
    pld_parameter *weight, *bias;
    const float *weight_values, *bias_values; /**< set by prepare for norms */
    const void *packed;                       /**< set by prepare for linear and convolution */
    const struct pld_product_path *path;      /**< likewise */
    pld_product_problem problem;              /**< accumulate: there is a residual */
    bool f32;                                 /**< of a product: whatever the run's type is */
    bool geglu;             /**< after a linear layer, whose problem has twice the channels of out */
    pld_value_id residual;  /**< [as out], added; may be out */
    pld_value_id factors;   /**< [B, 2, 1, C] scale and shift of the input, SiLU after them */
    pld_slice scale, shift; /**< of a norm of tokens: ·(1 + scale) + shift after it */
    pld_slice gate;         /**< of a gated sum: its factors, [C] */
    pld_value_id vector;    /**< [B, 1, 1, N], added to every pixel */
    int64_t groups;         /**< of a group norm */
    float epsilon;          /**< of a norm */
    bool silu;              /**< after a norm */
    int activation;         /**< pld_activation */
    int heads;              /**< of an attention */
    int site;               /**< of an attention: index into plan->sites */
    int stage;              /**< of FreeU: up block 0 or 1 */
    pld_value_id key, value;
    int outside; /**< of an operator that reads a value from outside: its number; of a cross-attention its keys',
                          the values' is the next one */
    bool causal;
    float logit_scale;          /**< of an attention; 0: 1/√head size */
    pld_value_id relative_bias; /**< [1, heads, 1, 2·T − 1], by key − query; of an attention */
    int constant;               /**< index into plan->constants */
    int patch;                  /**< side of a patch */
    bool channels_inner;        /**< a patch is [p, p, channels], else [channels, p, p] */
    int64_t offset;             /**< of a part that is taken out: its first number */
    int32_t token;              /**< of a pool: the id whose state is taken, or PLD_LARGEST_ID */
} pld_operator;

typedef enum pld_site_kind { PLD_SITE_SELF, PLD_SITE_CROSS } pld_site_kind;

/** "self", "cross" */
const char *pld_site_kind_name(pld_site_kind kind);

/** An attention that variants can be put on. */
typedef struct pld_site {
    char name[PLD_PLAN_NAME]; /**< "down_blocks.0.attentions.1.transformer_blocks.0.attn2" */
    pld_site_kind kind;
    int heads, head_size;
    int block; /**< number of its block in a transformer; −1: it has no number */
} pld_site;

typedef struct pld_plan {
    const char *name; /**< of the network, for profiles: "unet"; NULL: none */
    pld_parameters *parameters;
    pld_value *values;
    size_t value_count, value_capacity;
    pld_operator *operators;
    size_t operator_count, operator_capacity;
    pld_site *sites;
    size_t site_count, site_capacity;
    pld_value_id *offers; /**< what it computes for another plan, which takes it as values from outside */
    size_t offer_count, offer_capacity;
    int outside_count; /**< values from outside that it takes */
    pld_constant *constants;
    size_t constant_count, constant_capacity;
    size_t memory_floats; /**< of all values, after pld_plan_layout */
    size_t scratch_bytes; /**< after pld_plan_prepare */
    float *memory;        /**< [memory_floats] after pld_plan_prepare; of held_bytes with the scratch */
    void *scratch;        /**< behind it */
    size_t held_bytes;
    pld_spare_memory *spare; /**< borrowed: where memory is left and found; NULL: nowhere */
} pld_plan;

/** An empty plan that borrows `parameters`; NULL for one that is only laid out, to learn its sizes. */
void pld_plan_init(pld_plan *plan, pld_parameters *parameters);
/** Free everything and empty the struct. */
void pld_plan_free(pld_plan *plan);

/** Floats of one value; 0 when the product overflows. */
size_t pld_value_floats(const pld_value *value);

/** Give every value its offset: greedy, largest first, lowest place free during the value's life.
 *  PLD_ERROR_MEMORY when sizes overflow. */
pld_status pld_plan_layout(pld_plan *plan, pld_error *error);

/** Address of a value, after pld_plan_prepare. */
static inline float *pld_plan_data(const pld_plan *plan, pld_value_id id) {
    return plan->memory + plan->values[id].offset;
}

/** The same, or NULL for PLD_NO_VALUE. */
static inline float *pld_plan_data_or_null(const pld_plan *plan, pld_value_id id) {
    return id == PLD_NO_VALUE ? NULL : pld_plan_data(plan, id);
}

#endif
