/* SPDX-License-Identifier: Apache-2.0 */
/** Autoencoders against what diffusers computed on the same weights. */
#ifndef PLD_TESTS_AUTOENCODERS_H
#define PLD_TESTS_AUTOENCODERS_H

#include "network.h"

/** Decoder (latent → decoded, scaling undone first) or encoder (picture → moments, or latents) of the case's model. */
void compare_autoencoder_half(const parity_case *c, bool decode);

#endif
