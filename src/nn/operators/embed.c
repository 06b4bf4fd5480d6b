/* SPDX-License-Identifier: Apache-2.0 */
/** What turns ids and timesteps into activations. */
#include "nn/operators/operators.h"
#include "nn/sinusoids.h"

static pld_status prepare_embed(pld_run *run, pld_operator *op, pld_error *error) {
    (void)run;
    return op->bias ? pld_parameter_values(op->bias, &op->bias_values, error) : PLD_OK;
}

/** out [B, T, C] = token_embedding[ids], plus position_embedding where there is one. Only the rows in use are read from the file. */
static pld_status run_embed(pld_run *run, pld_operator *op, pld_error *error) {
    const pld_plan *plan = run->plan;
    const pld_value *out = &plan->values[op->out];
    const size_t channels = (size_t)out->channels;
    float *rows = pld_plan_data(plan, op->out);
    for (int64_t i = 0; i < out->batch * out->height; i++, rows += channels) {
        PLD_TRY(pld_parameter_read(op->weight, (size_t)run->ids[i] * channels, channels, rows, error));
        if (op->bias_values) {
            run->kernels->add(rows, op->bias_values + (size_t)(i % out->height) * channels, channels, rows);
        }
    }
    return PLD_OK;
}

/** out [B, 1, C]: sinusoids of the run's timesteps. op->activation: sine first (flip_sin_to_cos false);
 * op->epsilon: downscale_freq_shift. */
static pld_status run_timestep(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    const pld_sinusoids sinusoids = {out->channels, !op->activation, op->epsilon};
    float *rows = pld_plan_data(run->plan, op->out);
    for (int64_t b = 0; b < out->batch; b++, rows += out->channels) {
        pld_sinusoids_of(&sinusoids, &run->timesteps[pld_row_of_group(&out->groups, b)], 1, rows);
    }
    return PLD_OK;
}

/** out [B, 1, C] += a vector from outside, each row's own. */
static pld_status run_add_outside(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = &run->plan->values[op->out];
    float *rows = pld_plan_data(run->plan, op->out);
    for (int64_t b = 0; b < out->batch; b++, rows += out->channels) {
        run->kernels->add(rows, run->contexts[pld_row_of_group(&out->groups, b)]->outside[op->outside],
                          (size_t)out->channels, rows);
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_embed = {"embed", prepare_embed, NULL, run_embed};
const pld_operator_kind pld_operator_timestep = {"timestep", NULL, NULL, run_timestep};
const pld_operator_kind pld_operator_add_outside = {"add_outside", NULL, NULL, run_add_outside};
