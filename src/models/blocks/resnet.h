/* SPDX-License-Identifier: Apache-2.0 */
/** The residual block that U-Nets and autoencoders share: diffusers' ResnetBlock2D. */
#ifndef PLD_MODELS_RESNET_H
#define PLD_MODELS_RESNET_H

#include "nn/build.h"

typedef struct pld_resnet_options {
    int64_t groups;    /**< of both norms */
    double epsilon;    /**< of both norms */
    pld_value_id time; /**< SiLU of the time embedding [B, 1, E], or PLD_NO_VALUE */
    bool spends; /**< nothing reads x after the block, which takes its place unless it has more channels */
} pld_resnet_options;

/** x [B, H·W, C] → [B, H·W, channels]: shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time))). */
pld_value_id pld_resnet_block(pld_builder *b, const pld_resnet_options *options, pld_value_id x,
                              int64_t channels);

#endif
