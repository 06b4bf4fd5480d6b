/* SPDX-License-Identifier: Apache-2.0 */
/* Activations with the C library's functions: the specification of the vector versions. */
#include <math.h>

#include "kernels/table.h"

static float sigmoid(float x) {
    return 1.0F / (1.0F + expf(-x));
}

/** x·Φ(x), Φ(x) = erfc(−x/√2)/2: erfc keeps the relative error small where Φ is. */
static float gelu_of(float x) {
    return 0.5F * x * erfcf(x * -0.70710678118654752F);
}

void PLD_KERNEL(silu)(const float *x, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = x[i] * sigmoid(x[i]);
    }
}

void PLD_KERNEL(gelu)(const float *x, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = gelu_of(x[i]);
    }
}

/** x/2·(1 + tanh(√(2/π)(x + 0.044715·x³))) (Hendrycks & Gimpel 2016, arXiv 1606.08415), as x·sigmoid(2…). */
void PLD_KERNEL(gelu_tanh)(const float *x, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = x[i] * sigmoid(1.5957691216057308F * x[i] * (1.0F + 0.044715F * x[i] * x[i]));
    }
}

void PLD_KERNEL(quick_gelu)(const float *x, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = x[i] * sigmoid(1.702F * x[i]);
    }
}

void PLD_KERNEL(relu)(const float *x, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        out[i] = x[i] < 0 ? 0 : x[i]; /* NaN stays */
    }
}

void PLD_KERNEL(gate)(const pld_gate *gate) {
    static void (*const activations[])(const float *, size_t, float *) = {
        [PLD_GATE_GELU] = PLD_KERNEL(gelu),
        [PLD_GATE_GELU_TANH] = PLD_KERNEL(gelu_tanh),
        [PLD_GATE_SILU] = PLD_KERNEL(silu),
    };
    for (int64_t row = 0; row < gate->rows; row++) {
        for (int64_t c = 0; c < gate->channels; c++) {
            float opening;
            activations[gate->kind](&gate->b[row * gate->b_row + c], 1, &opening);
            gate->out[row * gate->out_row + c] = gate->a[row * gate->a_row + c] * opening;
        }
    }
}
