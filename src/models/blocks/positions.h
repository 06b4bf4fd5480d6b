/* SPDX-License-Identifier: Apache-2.0 */
/** Sinusoids of the tokens' places in the picture, as PixArt and SANA add them. */
#ifndef PLD_MODELS_BLOCKS_POSITIONS_H
#define PLD_MODELS_BLOCKS_POSITIONS_H

#include "nn/build.h"

/** x [B, h, w, C] plus the sinusoids of the places, counted as if either side had `base` tokens, of which
 * `interpolation_scale` are one unit; C is a multiple of 4. Returns x. */
pld_value_id pld_add_grid_positions(pld_builder *b, pld_value_id x, int64_t base, double interpolation_scale);

#endif
