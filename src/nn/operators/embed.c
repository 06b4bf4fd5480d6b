/* SPDX-License-Identifier: Apache-2.0 */
/** What turns ids and timesteps into activations. */
#include <math.h>

#include "nn/operators/operators.h"

static pld_status prepare_embed(pld_run *run, pld_operator *op, pld_error *error) {
    (void)run;
    return pld_parameter_values(op->bias, &op->bias_values, error);
}

/** out [B, T, C] = token_embedding[ids] + position_embedding. Only the rows in use are read from the file. */
static pld_status run_embed(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_plan *plan = run->plan;
    const pld_value *out = &plan->values[op->out];
    const size_t channels = (size_t)out->channels;
    float *rows = pld_plan_data(plan, op->out);
    for (int64_t i = 0; i < out->batch * out->height; i++, rows += channels) {
        PLD_TRY(pld_parameter_read(op->weight, (size_t)run->ids[i] * channels, channels, rows, error));
        run->kernels->add(rows, op->bias_values + (size_t)(i % out->height) * channels, channels, rows);
    }
    return PLD_OK;
}

/** out [B, 1, C]: cos(t·f), sin(t·f) with f_i = 10000^(−i / (C/2 − shift)), as in diffusers' Timesteps (Ho et
 * al. 2020). op->activation: sine first (flip_sin_to_cos false); op->epsilon: downscale_freq_shift. */
static pld_status run_timestep(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    const int64_t half = out->channels / 2;
    for (int64_t b = 0; b < out->batch; b++) {
        float *row = pld_plan_data(run->plan, op->out) + b * out->channels;
        float *cosine = op->activation ? row + half : row;
        float *sine = op->activation ? row : row + half;
        row[out->channels - 1] = 0; /* of an odd width */
        for (int64_t i = 0; i < half; i++) {
            float exponent = (float)(-log(10000.0)) * (float)i / ((float)half - op->epsilon);
            float angle = run->timesteps[b] * expf(exponent);
            cosine[i] = cosf(angle);
            sine[i] = sinf(angle);
        }
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_embed = {"embed", prepare_embed, NULL, run_embed};
const pld_operator_kind pld_operator_timestep = {"timestep", NULL, NULL, run_timestep};
