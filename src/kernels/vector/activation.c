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

/* Rows ahead that are asked for: a store waits for its line longer than a row takes. */
enum { ROWS_AHEAD = 16 };

void PLD_KERNEL(geglu)(const float *in, int64_t rows, int64_t channels, float *out, int64_t out_row) {
    for (int64_t row = 0; row < rows; row++) {
        const float *a = in + row * 2 * channels;
        const float *b = a + channels;
        float *to = out + row * out_row;
        if (row + ROWS_AHEAD < rows) {
            __builtin_prefetch(to + ROWS_AHEAD * out_row, 1);
        }
        int64_t c = 0;
        for (; c + PLD_LANES <= channels; c += PLD_LANES) {
            store(to + c, load(a + c) * gelu_of(load(b + c)));
        }
        if (c < channels) {
            size_t rest = (size_t)(channels - c);
            store_part(to + c, load_part(a + c, rest) * gelu_of(load_part(b + c, rest)), rest);
        }
    }
}
