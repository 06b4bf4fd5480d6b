/* SPDX-License-Identifier: Apache-2.0 */
/** The transformer inside U-Net blocks: diffusers' Transformer2DModel with BasicTransformerBlocks. */
#ifndef PLD_MODELS_TRANSFORMER_H
#define PLD_MODELS_TRANSFORMER_H

#include "nn/build.h"

typedef struct pld_transformer_options {
    int heads;
    int64_t depth;          /**< transformer blocks */
    int64_t groups;         /**< of the entry norm */
    bool linear_projection; /**< proj_in and proj_out are linear layers, not 1×1 convolutions; the same
                               numbers */
} pld_transformer_options;

/** x [B, H·W, C] → x + proj_out(blocks(proj_in(norm(x)))). */
pld_value_id pld_transformer_2d(pld_builder *b, const pld_transformer_options *options, pld_value_id x);

#endif
