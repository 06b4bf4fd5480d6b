/* SPDX-License-Identifier: Apache-2.0 */
/* Places of FLUX.1: the first axis is 0 everywhere, and the text stands where the picture's first token does. */
#include "models/blocks/place_rotation.h"
#include "models/flux/flux.h"

static const double theta = 10000;
static const double heads_epsilon = 1e-6;

pld_value_id pld_flux_rotate(pld_builder *b, const pld_flux_config *c, const char *norm, pld_value_id x,
                             int64_t text, int64_t height, int64_t width) {
    const pld_places places = {.theta = theta,
                               .text = text,
                               .height = height,
                               .width = width,
                               .axes = {(int32_t)c->axes[0], (int32_t)c->axes[1], (int32_t)c->axes[2]},
                               .axis_count = PLD_FLUX_AXES,
                               .text_axis = -1};
    return pld_rotate_places(b, &places, c->heads, norm, heads_epsilon, x);
}

pld_value_id pld_flux_norm_heads(pld_builder *b, const pld_flux_config *c, const char *norm, pld_value_id x) {
    const pld_rotation_options options = {.heads = c->heads, .norm = norm, .epsilon = heads_epsilon};
    return pld_rotate_heads(b, x, &options);
}
