/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures in another size. */
#ifndef PLD_IO_PICTURES_RESAMPLE_H
#define PLD_IO_PICTURES_RESAMPLE_H

#include <stdint.h>

#include "core/status.h"

/** in [in_height, in_width, channels] → out [out_height, out_width, channels], both 8 bits, by Lanczos'
 * filter of three lobes, widened where the picture shrinks. Rounded after each of both directions, across
 * before down, as Pillow's resize does: diffusers prepares its pictures with that, and the same bytes come
 * out. */
pld_status pld_resample_lanczos(const uint8_t *in, int in_width, int in_height, int channels, uint8_t *out,
                                int out_width, int out_height, pld_error *error);

#endif
