/* SPDX-License-Identifier: Apache-2.0 */
/** The kinds of operators; each stands in the file of its name. */
#ifndef PLD_NN_OPERATORS_H
#define PLD_NN_OPERATORS_H

#include "kernels/convolution_operands.h"
#include "kernels/panels.h"
#include "nn/executor.h"

/** A way to compute linear layers and convolutions. The first in the list that accepts an operator computes
 * it; the choice depends on shapes and settings, never on a timing, so that the same run gives the same
 * bytes. */
typedef struct pld_product_path {
    const char *name; /**< "winograd" */
    bool (*accepts)(const pld_run *run, const pld_operator *op);
    pld_status (*prepare)(pld_run *run, pld_operator *op, pld_error *error);
    size_t (*scratch)(const pld_run *run, const pld_operator *op);
    pld_status (*run)(pld_run *run, pld_operator *op, pld_error *error);
} pld_product_path;

extern const pld_product_path pld_product_bf16;   /**< most of a network in bfloat16: kernels/convolution.h */
extern const pld_product_path pld_product_split;  /**< the rest likewise, split: kernels/pairs.h */
extern const pld_product_path pld_product_matrix; /**< linear layers: kernels/matrix.h */
extern const pld_product_path pld_product_winograd; /**< 3×3 convolutions: kernels/winograd/winograd.h */
extern const pld_product_path pld_product_direct;   /**< every convolution: kernels/matrix.h, patches.h */

/** The run's type is bfloat16, and this operator's operands may be rounded to it. Some products stay float32:
 * those that the network wants so; embeddings of time and sizes (one token a picture), which every block
 * reads; and convolutions from or to latents (a few channels), whose errors would be the picture's. */
bool pld_product_takes_bf16(const pld_run *run, const pld_operator *op);

/** Tiles of Winograd's F(4×4, 3×3) that a picture of this size has. */
int64_t pld_winograd_tiles(int64_t height, int64_t width);

/** Winograd, in float32, is the faster way for a 3×3 convolution of such a picture than a direct one of the
 * type. */
bool pld_winograd_is_faster(pld_isa isa, bool bf16, int64_t height, int64_t width);

/** The panels in which the weight of `op` is packed: `taps` numbers a weight, in 16 bit where it is stored so
 *  (they become float32 again in the cache: half the memory to fill and to read), else float32. */
pld_panels pld_product_panels(const pld_operator *op, int64_t taps);

/** What a prepared convolution or linear layer reads and writes in its plan. */
pld_convolution_operands pld_product_operands(const pld_run *run, const pld_operator *op);

/** Set op->packed to the weight in these panels. */
pld_status pld_product_pack(const pld_run *run, pld_operator *op, const pld_panels *panels, pld_error *error);
/** The same in panels of patches: a weight [N, C, taps] in the order [N, taps, C], of that depth. */
pld_status pld_product_pack_patches(const pld_run *run, pld_operator *op, const pld_panels *panels,
                                    int64_t taps, pld_error *error);

/** Threads for so many multiplications: waking one costs as much as a million of them. */
int pld_product_threads(const pld_run *run, double multiplications);

/** Address of a slice for item `b` of a value; NULL for PLD_NO_SLICE. */
const float *pld_slice_at(const pld_run *run, pld_slice slice, const pld_value *of, int64_t b);

/** Floats from a slice of one item of its value to that of the next; 0 where one item stands for all. */
int64_t pld_slice_step(const pld_plan *plan, pld_slice slice);

/** As an operator's token: the largest id of a text, whatever it is. */
enum { PLD_LARGEST_ID = -1 };

typedef enum pld_activation { PLD_SILU, PLD_GELU, PLD_GELU_TANH, PLD_QUICK_GELU, PLD_RELU } pld_activation;

extern const pld_operator_kind pld_operator_linear;     /**< in [.., C] → out [.., N], or out += */
extern const pld_operator_kind pld_operator_conv;       /**< likewise, NHWC */
extern const pld_operator_kind pld_operator_group_norm; /**< over each picture's tokens, SiLU if asked */
extern const pld_operator_kind pld_operator_group_norm_factors; /**< its scale and shift alone */
extern const pld_operator_kind pld_operator_layer_norm;         /**< over channels */
extern const pld_operator_kind pld_operator_rms_norm;           /**< likewise */
extern const pld_operator_kind pld_operator_gate;      /**< out = in·act(second), in place of either */
extern const pld_operator_kind pld_operator_gated_add; /**< out += gate·in */
extern const pld_operator_kind
    pld_operator_add_table; /**< out [B, rows, 1, C] = in, repeated, + weight [rows, C] */
extern const pld_operator_kind pld_operator_add_constant; /**< out [B, T, C] += a constant [T, C] */
extern const pld_operator_kind pld_operator_patchify;   /**< in [B, h, w, C] → out [B, h/p, w/p, p²·C] */
extern const pld_operator_kind pld_operator_unpatchify; /**< the other way */
extern const pld_operator_kind pld_operator_take; /**< out = numbers of each row of `in` from op->offset on */
extern const pld_operator_kind
    pld_operator_relative_bias; /**< T5's biases of logits, [1, heads, 1, 2·T − 1] */
extern const pld_operator_kind pld_operator_activation; /**< out = in, in place */
extern const pld_operator_kind pld_operator_attention;  /**< in is the query */
extern const pld_operator_kind pld_operator_concat;     /**< channels of in, then of second */
extern const pld_operator_kind pld_operator_upsample;   /**< nearest, to the size of out */
extern const pld_operator_kind pld_operator_copy;       /**< out = in */
extern const pld_operator_kind pld_operator_copy_rows;  /**< each row of out = the row of its group in `in` */
extern const pld_operator_kind
    pld_operator_embed; /**< ids → rows of weight (tokens) plus rows of bias (positions) */
extern const pld_operator_kind pld_operator_timestep;    /**< timesteps → sinusoids [B, 1, C] */
extern const pld_operator_kind pld_operator_add_outside; /**< out [B, 1, C] += a vector from outside */
extern const pld_operator_kind pld_operator_freeu;       /**< changes in and second, if the run asks for it */
extern const pld_operator_kind pld_operator_pool; /**< in [B, T, C] → out [B, 1, C], by the run's ids */
extern const pld_operator_kind pld_operator_tap;  /**< shows `in` to the observer */

#endif
