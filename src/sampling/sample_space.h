/* SPDX-License-Identifier: Apache-2.0 */
/** How a sample holds signal and noise: alpha·x0 + sigma·ε. A sampler stands in one of these spaces. */
#ifndef PLD_SAMPLING_SAMPLE_SPACE_H
#define PLD_SAMPLING_SAMPLE_SPACE_H

#include "sampling/sampler.h"

struct pld_sample_space {
    const char *name;
    /** Signal and noise before `call`. */
    pld_sample_level (*level)(const pld_sampler *sampler, size_t call);
    /** x0 of one element from the prediction at that level. */
    float (*x0)(const pld_sampler *sampler, pld_sample_level level, float noise_pred, float x);
    /** What the network sees, [count]; `input` may be `sample`. NULL: the sample. */
    void (*scale_input)(const pld_sampler *sampler, size_t call, const float *sample, float *input,
                        size_t count);
    /** The time that the network is told. NULL: schedule->timesteps[call]. */
    double (*network_timestep)(const pld_sampler *sampler, size_t call);
    /** The sampler's prediction from the network's output, [count]; `noise_pred` may be either. NULL: the
     *  output. */
    void (*convert)(const pld_sampler *sampler, size_t call, const float *input, const float *output,
                    float *noise_pred, size_t count);
};

/** x0 + σ·ε: Karras et al. 2022 (arXiv 2206.00364). */
extern const pld_sample_space pld_space_exploding;
/** √ᾱ·x0 + √(1 − ᾱ)·ε at a training timestep. */
extern const pld_sample_space pld_space_preserving;
/** The same at a noise level σ/α, which multistep solvers keep. */
extern const pld_sample_space pld_space_preserving_levels;
/** (1 − σ)·x0 + σ·ε: Lipman et al. 2022 (arXiv 2210.02747), Liu et al. 2022 (arXiv 2209.03003). */
extern const pld_sample_space pld_space_flow;
/** σ_data·(cos(t)·x0 + sin(t)·ε): Lu & Song 2024 (arXiv 2410.11081), with x0 and ε of unit scale. */
extern const pld_sample_space pld_space_trigflow;

#endif
