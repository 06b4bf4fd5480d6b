/* SPDX-License-Identifier: Apache-2.0 */
/** What turns ids, timesteps and values from outside into activations. */
#include <string.h>

#include "backends/cpu/operators.h"
#include "nn/sinusoids.h"

static pld_status prepare_embed(pld_executable *e, const pld_operator *op, pld_error *error) {
    return pld_cpu_keep_bias(e, op, op->embedding.positions, error);
}

/** out [B, T, C] = token_embedding[ids], scaled if asked, plus position_embedding where there is one. Only the rows in
 * use are read from the file. */
static pld_status run_embed(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_value *out = pld_value_at(e, op->out);
    const size_t channels = (size_t)out->channels;
    const float *positions = pld_cpu_operator_of(e, op)->bias;
    float *rows = pld_cpu_data(e, op->out);
    for (int64_t i = 0; i < out->batch * out->height; i++, rows += channels) {
        PLD_TRY(pld_parameter_read(op->embedding.tokens, (size_t)e->run->ids[i] * channels, channels, rows,
                                   error));
        for (size_t j = 0; op->embedding.scale != 0 && j < channels; j++) {
            rows[j] *= op->embedding.scale;
        }
        if (positions) {
            pld_cpu_kernels(e)->add(rows, positions + (size_t)(i % out->height) * channels, channels, rows);
        }
    }
    return PLD_OK;
}

/** out [B, 1, C]: sinusoids of the run's timesteps. */
static pld_status run_timestep(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    const pld_sinusoids sinusoids = {out->channels, op->timestep.flip_sin_to_cos, op->timestep.shift};
    float *rows = pld_cpu_data(e, op->out);
    for (int64_t b = 0; b < out->batch; b++, rows += out->channels) {
        const float stated = (float)e->run->timesteps[pld_row_of_group(&out->groups, b)];
        const float timestep = op->timestep.scale != 0 ? stated * op->timestep.scale : stated;
        pld_sinusoids_of(&sinusoids, &timestep, 1, rows);
    }
    return PLD_OK;
}

/** out [B, 1, C] += a vector from outside, each row's own. */
static pld_status run_add_outside(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *out = pld_value_at(e, op->out);
    float *rows = pld_cpu_data(e, op->out);
    for (int64_t b = 0; b < out->batch; b++, rows += out->channels) {
        const pld_context *context = e->run->contexts[pld_row_of_group(&out->groups, b)];
        pld_cpu_kernels(e)->add(rows, pld_cpu_outside(context, op->outside), (size_t)out->channels, rows);
    }
    return PLD_OK;
}

/** out [B, T, C] = a value from outside, each row's own. */
static pld_status run_take_outside(pld_executable *e, const pld_operator *op, pld_error *error) {
    const pld_value *out = pld_value_at(e, op->out);
    float *rows = pld_cpu_data(e, op->out);
    for (int64_t b = 0; b < out->batch; b++, rows += pld_item_floats(out)) {
        const pld_context *context = e->run->contexts[pld_row_of_group(&out->groups, b)];
        if (context->tokens != out->height) {
            return pld_fail(error, PLD_ERROR_INTERNAL,
                            "a plan for texts of %lld tokens was given one of %lld", (long long)out->height,
                            (long long)context->tokens);
        }
        memcpy(rows, pld_cpu_outside(context, op->outside), pld_item_floats(out) * sizeof *rows);
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_embed = {prepare_embed, NULL, run_embed};
const pld_operator_code pld_cpu_timestep = {NULL, NULL, run_timestep};
const pld_operator_code pld_cpu_add_outside = {NULL, NULL, run_add_outside};
const pld_operator_code pld_cpu_take_outside = {NULL, NULL, run_take_outside};
