/* SPDX-License-Identifier: Apache-2.0 */
/* Activations, a vector of elements at a time. */
#include "kernels/table.h"
#include "kernels/vector/functions.h"

PLD_INLINE vec silu_of(vec x) {
    return x * sigmoid_of(x);
}

PLD_INLINE vec gelu_of(vec x) {
    return x * normal_integral(x);
}

PLD_INLINE vec gelu_tanh_of(vec x) {
    return x * sigmoid_of(splat(1.5957691216057308F) * x * (splat(1.0F) + splat(0.044715F) * x * x));
}

/** NaN stays. */
PLD_INLINE vec relu_of(vec x) {
    return larger(splat(0), x);
}

PLD_INLINE vec quick_gelu_of(vec x) {
    return x * sigmoid_of(splat(1.702F) * x);
}

#define PLD_ELEMENTWISE(name)                                                                                \
    void PLD_KERNEL(name)(const float *x, size_t count, float *out) {                                        \
        size_t i = 0;                                                                                        \
        for (; i + PLD_LANES <= count; i += PLD_LANES) {                                                     \
            store(out + i, name##_of(load(x + i)));                                                          \
        }                                                                                                    \
        if (i < count) {                                                                                     \
            store_part(out + i, name##_of(load_part(x + i, count - i)), count - i);                          \
        }                                                                                                    \
    }

PLD_ELEMENTWISE(silu)
PLD_ELEMENTWISE(gelu)
PLD_ELEMENTWISE(gelu_tanh)
PLD_ELEMENTWISE(quick_gelu)
PLD_ELEMENTWISE(relu)

/* Rows ahead that are asked for: a store waits for its line longer than a row takes. */
enum { ROWS_AHEAD = 16 };

PLD_INLINE vec opening_of(const pld_gate_kind kind, vec x) {
    return kind == PLD_GATE_GELU ? gelu_of(x) : kind == PLD_GATE_SILU ? silu_of(x) : gelu_tanh_of(x);
}

PLD_INLINE void gate_rows(const pld_gate *gate, const pld_gate_kind kind) {
    for (int64_t row = 0; row < gate->rows; row++) {
        const float *a = gate->a + row * gate->a_row;
        const float *b = gate->b + row * gate->b_row;
        float *to = gate->out + row * gate->out_row;
        if (row + ROWS_AHEAD < gate->rows) {
            __builtin_prefetch(to + ROWS_AHEAD * gate->out_row, 1);
        }
        int64_t c = 0;
        for (; c + PLD_LANES <= gate->channels; c += PLD_LANES) {
            store(to + c, load(a + c) * opening_of(kind, load(b + c)));
        }
        if (c < gate->channels) {
            size_t rest = (size_t)(gate->channels - c);
            store_part(to + c, load_part(a + c, rest) * opening_of(kind, load_part(b + c, rest)), rest);
        }
    }
}

void PLD_KERNEL(gate)(const pld_gate *gate) {
    switch (gate->kind) { /* each is a loop of its own */
    case PLD_GATE_GELU:
        gate_rows(gate, PLD_GATE_GELU);
        break;
    case PLD_GATE_GELU_TANH:
        gate_rows(gate, PLD_GATE_GELU_TANH);
        break;
    case PLD_GATE_SILU:
        gate_rows(gate, PLD_GATE_SILU);
        break;
    }
}
