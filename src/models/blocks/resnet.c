/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/resnet.h"

pld_value_id pld_resnet_block(pld_builder *b, const pld_resnet_options *options, pld_value_id x,
                              int64_t channels) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const int64_t from = b->plan->values[x].channels;
    const bool changes = from != channels;
    pld_around first = PLD_NOTHING_AROUND;
    first.factors = pld_group_norm_factors(b, "norm1", x, options->groups, options->epsilon);
    if (options->time != PLD_NO_VALUE) {
        first.vector = pld_linear(b, "time_emb_proj", options->time, channels, true);
    }
    pld_around second = PLD_NOTHING_AROUND;
    pld_value_id hidden = pld_conv_around(b, "conv1", x, channels, &first);
    second.factors = pld_group_norm_factors(b, "norm2", hidden, options->groups, options->epsilon);
    second.into_residual = changes || options->spends;
    second.residual = !changes ? x
                      : options->spends && from > channels
                          ? pld_linear_narrow(b, "conv_shortcut", x, channels)
                          : pld_linear(b, "conv_shortcut", x, channels, true);
    return pld_conv_around(b, "conv2", hidden, channels, &second);
}
