/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of Winograd's F(4x4, 3x3): the specification of the vector versions.
 *
 * Lavin & Gray 2016 (arXiv 1509.09308), equation 8: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with the Toom-Cook
 * matrices of the points p = 0, ±√½, ±√2 and infinity. For a finite point p_j, M_j(x) the product of (x −
 * p_l) over the other finite points and N_j = M_j(p_j):
 *
 *      row j of Bᵀ   the coefficients of M_j(x)         last: those of the product over all finite points
 *      row j of G    (1, p_j, p_j²)/N_j                 last: (0, 0, 1)
 *      column j of Aᵀ (1, p_j, p_j², p_j³)              last: (0, 0, 0, 1)
 */
#include "kernels/table.h"
#include "kernels/winograd/points.h"

enum { IN = PLD_WINOGRAD_IN, OUT = PLD_WINOGRAD_OUT, TAPS = 3 };

#define A PLD_WINOGRAD_A
#define B PLD_WINOGRAD_B

static const float input_matrix[IN][IN] = {
    {1, 0, -2.5F, 0, 1, 0},         {0, -2 * A, -2, A, 1, 0},       {0, 2 * A, -2, -A, 1, 0},
    {0, -0.5F * B, -0.5F, B, 1, 0}, {0, 0.5F * B, -0.5F, -B, 1, 0}, {0, 1, 0, -2.5F, 0, 1},
};
static const float weight_matrix[IN][TAPS] = {
    {1, 0, 0},
    {-2.0F / 3, -2.0F / 3 * A, -1.0F / 3},
    {-2.0F / 3, 2.0F / 3 * A, -1.0F / 3},
    {1.0F / 6, 1.0F / 6 * B, 1.0F / 3},
    {1.0F / 6, -1.0F / 6 * B, 1.0F / 3},
    {0, 0, 1},
};
static const float output_matrix[OUT][IN] = {
    {1, 1, 1, 1, 1, 0},
    {0, A, -A, B, -B, 0},
    {0, 0.5F, 0.5F, 2, 2, 0},
    {0, 0.5F * A, -0.5F * A, 2 * B, -2 * B, 1},
};

#undef A
#undef B

/** out [rows, rows] = matrix [rows, size] · x [size, size] · matrixᵀ. */
static void sandwich(const float *matrix, int rows, int size, const float *x, float *out) {
    float half[IN * IN];
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < size; j++) {
            float sum = 0;
            for (int k = 0; k < size; k++) {
                sum += matrix[i * size + k] * x[k * size + j];
            }
            half[i * size + j] = sum;
        }
    }
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < rows; j++) {
            float sum = 0;
            for (int k = 0; k < size; k++) {
                sum += half[i * size + k] * matrix[j * size + k];
            }
            out[i * rows + j] = sum;
        }
    }
}

void PLD_KERNEL(winograd_input)(const pld_winograd_input *tile) {
    for (int64_t c = 0; c < tile->channels; c++) {
        float x[IN * IN];
        float y[IN * IN];
        for (int i = 0; i < IN * IN; i++) {
            x[i] = tile->pixels[i][c];
        }
        sandwich(&input_matrix[0][0], IN, IN, x, y);
        for (int i = 0; i < IN * IN; i++) {
            tile->out[i * tile->step + c] = y[i];
        }
    }
}

void PLD_KERNEL(winograd_weights)(const float *weights, int64_t depth, int64_t columns, float *out,
                                  int64_t step) {
    for (int64_t c = 0; c < depth; c++) {
        for (int64_t n = 0; n < columns; n++) {
            float x[TAPS * TAPS];
            float y[IN * IN];
            for (int i = 0; i < TAPS * TAPS; i++) {
                x[i] = weights[(c * TAPS * TAPS + i) * columns + n];
            }
            sandwich(&weight_matrix[0][0], IN, TAPS, x, y);
            for (int i = 0; i < IN * IN; i++) {
                out[i * step + c * columns + n] = y[i];
            }
        }
    }
}

void PLD_KERNEL(winograd_output)(const pld_winograd_output *tile) {
    for (int64_t c = 0; c < tile->channels; c++) {
        float x[IN * IN];
        float y[OUT * OUT];
        for (int i = 0; i < IN * IN; i++) {
            x[i] = tile->products[i * tile->step + c];
        }
        sandwich(&output_matrix[0][0], OUT, IN, x, y);
        for (int i = 0; i < OUT * OUT; i++) {
            if (tile->pixels[i]) {
                float sum = y[i] + (tile->bias ? tile->bias[c] : 0);
                tile->pixels[i][c] = tile->add_residual ? tile->residual[i][c] + sum : sum;
            }
        }
    }
}
