/* SPDX-License-Identifier: Apache-2.0 */
/** Sinusoids of numbers: how timesteps and picture sizes enter a network. */
#ifndef PLD_NN_SINUSOIDS_H
#define PLD_NN_SINUSOIDS_H

#include <stdbool.h>
#include <stdint.h>

/** What diffusers' Timesteps is made with. */
typedef struct pld_sinusoids {
    int64_t channels;     /**< numbers for each value */
    bool flip_sin_to_cos; /**< cosine first */
    float shift;          /**< downscale_freq_shift; below channels / 2 */
} pld_sinusoids;

/** values [count] → out [count, channels]: cos(t·f), sin(t·f) with f_i = 10000^(−i / (channels/2 − shift))
 * (Ho et al. 2020, arXiv 2006.11239; Vaswani et al. 2017). The last number of an odd width is 0. */
void pld_sinusoids_of(const pld_sinusoids *sinusoids, const float *values, int64_t count, float *out);

#endif
