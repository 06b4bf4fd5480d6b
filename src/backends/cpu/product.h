/* SPDX-License-Identifier: Apache-2.0 */
/** Ways to compute linear layers and convolutions. The first that accepts an operator computes it; the choice depends on
 * shapes and settings, never on a timing, so that the same run gives the same bytes. */
#ifndef PLD_BACKENDS_CPU_PRODUCT_H
#define PLD_BACKENDS_CPU_PRODUCT_H

#include "backends/cpu/cpu.h"
#include "kernels/convolution_operands.h"
#include "kernels/gate_halves.h"
#include "kernels/panels.h"

typedef struct pld_product_path {
    const char *name; /**< "winograd" */
    bool grouped;     /**< it computes products of groups of channels, and nothing else */
    bool (*accepts)(const pld_executable *executable, const pld_operator *op);
    pld_status (*prepare)(pld_executable *executable, const pld_operator *op, pld_error *error);
    size_t (*scratch)(const pld_executable *executable, const pld_operator *op);
    pld_status (*run)(pld_executable *executable, const pld_operator *op, pld_error *error);
} pld_product_path;

extern const pld_product_path
    pld_product_grouped;                        /**< linear layers of groups of channels: kernels/grouped.h */
extern const pld_product_path pld_product_int8; /**< linear layers of 8-bit integers: kernels/int8.h */
extern const pld_product_path pld_product_direct_int8; /**< convolutions of them, as products of patches */
extern const pld_product_path pld_product_bf16;  /**< most of a network in bfloat16: kernels/convolution.h */
extern const pld_product_path pld_product_split; /**< the rest likewise, split: kernels/pairs.h */
extern const pld_product_path
    pld_product_streamed; /**< linear layers whose weights are not kept: the same bytes, from the files */
extern const pld_product_path pld_product_matrix;   /**< linear layers: kernels/matrix.h */
extern const pld_product_path pld_product_winograd; /**< 3×3 convolutions: kernels/winograd/winograd.h */
extern const pld_product_path pld_product_direct;   /**< every convolution: kernels/matrix.h, patches.h */

/** The run's type is bfloat16, and this operator's operands may be rounded to it. Some products stay float32:
 * those that the network wants so; linear layers on quantised weights, whose memory stays small; embeddings of
 * time and sizes (one token a picture), which every block reads; and convolutions from or to latents (a few
 * channels), whose errors would be the picture's. */
bool pld_product_takes_bf16(const pld_product_settings *settings, const pld_operator *op);

/** The run's type is 8-bit integers, and this operator's operands may become those. Linear layers and convolutions of many
 * channels do, for more than a token a picture, but for those that the network wants in float32 and its first and last
 * layer. */
bool pld_product_takes_int8(const pld_product_settings *settings, const pld_operator *op);

/** Tiles of Winograd's F(4×4, 3×3) that a picture of this size has. */
int64_t pld_winograd_tiles(int64_t height, int64_t width);

/** Winograd, in float32, is the faster way for a 3×3 convolution of such a picture than a direct one of the
 * type. */
bool pld_winograd_is_faster(pld_isa isa, pld_product_type type, int64_t height, int64_t width);

/** The panels in which the weight of `op` is packed: `taps` numbers a weight, in 16 bit where it is stored so
 *  (they become float32 again in the cache: half the memory to fill and to read), else float32. */
pld_panels pld_product_panels(const pld_operator *op, int64_t taps);

/** The same of a linear layer, whose rows stay as they are stored where they are of 8 bits or fewer. */
pld_panels pld_product_stored_panels(const pld_operator *op);

/** Panels of 8-bit integers, whatever the stored type is. */
pld_panels pld_product_int8_panels(const pld_operator *op);

/** The row of the weight that a column of the product is; of a gated unit of two weights, of the one that has the column. */
int64_t pld_product_row(const pld_operator *op, int64_t column);

/** The gate behind a layer of twice the columns. */
pld_gating pld_product_gating(const pld_operator *op);

/** What the input of a convolution goes through first. */
pld_input_change pld_product_input(const pld_operator *op);

/** What a prepared convolution or linear layer reads and writes in its plan. */
pld_convolution_operands pld_product_operands(const pld_executable *executable, const pld_operator *op);

/** Pack the weight in these panels, for the operator to keep. */
pld_status pld_product_pack(pld_executable *executable, const pld_operator *op, const pld_panels *panels,
                            pld_error *error);
/** The same in panels of patches: a weight [N, C, taps] in the order [N, taps, C], of that depth. */
pld_status pld_product_pack_patches(pld_executable *executable, const pld_operator *op,
                                    const pld_panels *panels, int64_t taps, pld_error *error);

/** Threads for so many multiplications: waking one costs as much as a million of them. */
int pld_product_threads(const pld_executable *executable, double multiplications);

#endif
