/* SPDX-License-Identifier: Apache-2.0 */
/** Angles of rotary embedding (Su et al. 2021, arXiv 2104.09864). */
#ifndef PLD_MODELS_BLOCKS_ANGLES_H
#define PLD_MODELS_BLOCKS_ANGLES_H

#include <stdint.h>

/** cosines, sines [count / 2] of place·θ^(−2i / count), reckoned in double. */
void pld_rotary_angles(double place, int64_t count, double theta, float *cosines, float *sines);

/** The same of angles that are rounded to float32 first, as networks do that keep tables of them. */
void pld_rotary_angles_rounded(double place, int64_t count, double theta, float *cosines, float *sines);

#endif
