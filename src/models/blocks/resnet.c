/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/resnet.h"

pld_value_id pld_resnet_block(pld_builder *b, const pld_resnet_options *options, pld_value_id x,
                              int64_t channels) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const bool widens = b->plan->values[x].channels != channels;
    pld_value_id hidden = pld_group_norm_of(b, "norm1", x, options->groups, options->epsilon, true);
    hidden = pld_conv(b, "conv1", hidden, channels, PLD_CONV_3X3);
    if (options->time != PLD_NO_VALUE) {
        pld_add_vector(b, hidden, pld_linear(b, "time_emb_proj", options->time, channels, true));
    }
    hidden = pld_group_norm_of(b, "norm2", hidden, options->groups, options->epsilon, true);
    pld_value_id out =
        widens ? pld_conv(b, "conv_shortcut", x, channels, (pld_conv_geometry){1, 1, 0, 0}) : pld_copy(b, x);
    return pld_conv_into(b, "conv2", hidden, out, PLD_CONV_3X3);
}
