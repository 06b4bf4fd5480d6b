/* SPDX-License-Identifier: Apache-2.0 */
/** Sizes and interpolation points of Winograd's F(4x4, 3x3): 0, ±√½, ±√2 and infinity. Their products
 * are 1, which keeps the transforms' numbers near 1: the error in float32 is about half that of the
 * usual 0, ±1, ±2. */
#ifndef PLD_KERNELS_WINOGRAD_POINTS_H
#define PLD_KERNELS_WINOGRAD_POINTS_H

#define PLD_WINOGRAD_A 0.70710678118654752440F
#define PLD_WINOGRAD_B 1.41421356237309504880F

#endif
