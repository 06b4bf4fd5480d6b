/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/resnet.h"

pld_value_id pld_resnet_block(pld_builder *b, const pld_resnet_options *options, pld_value_id x,
                              int64_t channels) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const int64_t from = b->plan->values[x].channels;
    const bool changes = from != channels;
    pld_product_options first = PLD_BIAS;
    first.factors = pld_group_norm_factors(b, "norm1", x, options->groups, options->epsilon);
    if (options->time != PLD_NO_VALUE) {
        first.vector = pld_linear(b, "time_emb_proj", options->time, channels, PLD_BIAS);
    }
    pld_product_options second = PLD_BIAS;
    pld_value_id hidden = pld_conv(b, "conv1", x, channels, PLD_CONV_3X3, first);
    second.factors = pld_group_norm_factors(b, "norm2", hidden, options->groups, options->epsilon);
    second.into_residual = changes || options->spends;
    pld_product_options shortcut = PLD_BIAS;
    shortcut.narrow = options->spends && from > channels;
    second.residual = changes ? pld_linear(b, "conv_shortcut", x, channels, shortcut) : x;
    return pld_conv(b, "conv2", hidden, channels, PLD_CONV_3X3, second);
}
