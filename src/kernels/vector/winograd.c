/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of Winograd's F(4x4, 3x3), a vector of channels at a time;
 * scalar/winograd.c derives them. */
#include "kernels/table.h"
#include "kernels/vector/vector.h"
#include "kernels/winograd/points.h"

enum { IN = PLD_WINOGRAD_IN, OUT = PLD_WINOGRAD_OUT, TAPS = 3 };

/** Bᵀx of one line of 6. */
PLD_INLINE void input_line(const vec *x, int step, vec *out, int out_step) {
    const vec a = splat(PLD_WINOGRAD_A);
    const vec b = splat(PLD_WINOGRAD_B);
    vec x1 = x[1 * step];
    vec x2 = x[2 * step];
    vec x3 = x[3 * step];
    vec x4 = x[4 * step];
    vec even_a = x4 - splat(2.0F) * x2;
    vec odd_a = a * (x3 - splat(2.0F) * x1);
    vec even_b = x4 - splat(0.5F) * x2;
    vec odd_b = b * (x3 - splat(0.5F) * x1);
    out[0 * out_step] = (x[0] + x4) - splat(2.5F) * x2;
    out[1 * out_step] = even_a + odd_a;
    out[2 * out_step] = even_a - odd_a;
    out[3 * out_step] = even_b + odd_b;
    out[4 * out_step] = even_b - odd_b;
    out[5 * out_step] = (x1 + x[5 * step]) - splat(2.5F) * x3;
}

/** Gx of one line of 3. */
PLD_INLINE void weight_line(const vec *x, int step, vec *out, int out_step) {
    vec x0 = x[0];
    vec x1 = x[1 * step];
    vec x2 = x[2 * step];
    vec even_a = splat(-2.0F / 3.0F) * x0 - splat(1.0F / 3.0F) * x2;
    vec odd_a = splat(-2.0F / 3.0F * PLD_WINOGRAD_A) * x1;
    vec even_b = splat(1.0F / 6.0F) * x0 + splat(1.0F / 3.0F) * x2;
    vec odd_b = splat(1.0F / 6.0F * PLD_WINOGRAD_B) * x1;
    out[0 * out_step] = x0;
    out[1 * out_step] = even_a + odd_a;
    out[2 * out_step] = even_a - odd_a;
    out[3 * out_step] = even_b + odd_b;
    out[4 * out_step] = even_b - odd_b;
    out[5 * out_step] = x2;
}

/** Aᵀx of one line of 6. */
PLD_INLINE void output_line(const vec *x, int step, vec *out, int out_step) {
    vec sum_a = x[1 * step] + x[2 * step];
    vec sum_b = x[3 * step] + x[4 * step];
    vec difference_a = splat(PLD_WINOGRAD_A) * (x[1 * step] - x[2 * step]);
    vec difference_b = splat(PLD_WINOGRAD_B) * (x[3 * step] - x[4 * step]);
    out[0 * out_step] = x[0] + (sum_a + sum_b);
    out[1 * out_step] = difference_a + difference_b;
    out[2 * out_step] = splat(0.5F) * sum_a + splat(2.0F) * sum_b;
    out[3 * out_step] = x[5 * step] + (splat(0.5F) * difference_a + splat(2.0F) * difference_b);
}

PLD_INLINE void input_lanes(const pld_winograd_input *tile, int64_t c, const int64_t lanes) {
    vec lines[IN * IN];
    for (int column = 0; column < IN; column++) {
        vec x[IN];
        for (int row = 0; row < IN; row++) {
            x[row] = load_lanes(tile->pixels[row * IN + column] + c, lanes);
        }
        input_line(x, 1, lines + column, IN);
    }
    for (int row = 0; row < IN; row++) {
        vec out[IN];
        input_line(lines + row * IN, 1, out, 1);
        for (int column = 0; column < IN; column++) {
            store_lanes(tile->out + (row * IN + column) * tile->step + c, out[column], lanes);
        }
    }
}

void PLD_KERNEL(winograd_input)(const pld_winograd_input *tile) {
    int64_t c = 0;
    for (; c + PLD_LANES <= tile->channels; c += PLD_LANES) {
        input_lanes(tile, c, PLD_LANES);
    }
    if (c < tile->channels) {
        input_lanes(tile, c, tile->channels - c);
    }
}

void PLD_KERNEL(winograd_weights)(const float *weights, int64_t depth, int64_t columns, float *out,
                                  int64_t step) {
    for (int64_t c = 0; c < depth; c++) {
        for (int64_t n = 0; n < columns; n += PLD_LANES) {
            const float *from = weights + c * TAPS * TAPS * columns + n;
            vec lines[IN * TAPS];
            for (int column = 0; column < TAPS; column++) {
                vec x[TAPS];
                for (int row = 0; row < TAPS; row++) {
                    x[row] = load(from + (row * TAPS + column) * columns);
                }
                weight_line(x, 1, lines + column, TAPS);
            }
            for (int row = 0; row < IN; row++) {
                vec line[IN];
                weight_line(lines + row * TAPS, 1, line, 1);
                for (int column = 0; column < IN; column++) {
                    store(out + (row * IN + column) * step + c * columns + n, line[column]);
                }
            }
        }
    }
}

PLD_INLINE void output_lanes(const pld_winograd_output *tile, int64_t c, const int64_t lanes) {
    vec lines[OUT * IN];
    for (int column = 0; column < IN; column++) {
        vec x[IN];
        for (int row = 0; row < IN; row++) {
            x[row] = load_lanes(tile->products + (row * IN + column) * tile->step + c, lanes);
        }
        output_line(x, 1, lines + column, IN);
    }
    vec bias = tile->bias ? load_lanes(tile->bias + c, lanes) : (vec){0};
    for (int row = 0; row < OUT; row++) {
        vec y[OUT];
        output_line(lines + row * IN, 1, y, 1);
        for (int column = 0; column < OUT; column++) {
            const int pixel = row * OUT + column;
            if (tile->pixels[pixel]) {
                vec sum = y[column] + bias;
                sum = tile->add_residual ? load_lanes(tile->residual[pixel] + c, lanes) + sum : sum;
                store_lanes(tile->pixels[pixel] + c, sum, lanes);
            }
        }
    }
}

void PLD_KERNEL(winograd_output)(const pld_winograd_output *tile) {
    int64_t c = 0;
    for (; c + PLD_LANES <= tile->channels; c += PLD_LANES) {
        output_lanes(tile, c, PLD_LANES);
    }
    if (c < tile->channels) {
        output_lanes(tile, c, tile->channels - c);
    }
}
