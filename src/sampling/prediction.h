/* SPDX-License-Identifier: Apache-2.0 */
/** The one converter between what a network predicts: ε, v (Salimans & Ho 2022, arXiv 2202.00512), x0, or the
 *  velocity of a flow, ε − x0.
 *
 *  Parametrisations of the same sample: variance preserving, x = a·x0 + s·ε with a² + s² = 1, variance
 *  exploding, x = x0 + σ·ε, and flow, a = 1 − σ and s = σ. The order of float operations is diffusers'. */
#ifndef PLD_SAMPLING_PREDICTION_H
#define PLD_SAMPLING_PREDICTION_H

#include <math.h>

#include "sampling/scheduler_config.h"

/** x0 from a network output, x = a·x0 + s·ε. */
static inline float pld_x0_preserving(pld_prediction prediction, float output, float x, float a, float s) {
    switch (prediction) {
    case PLD_PREDICT_EPSILON:
        return (x - s * output) / a;
    case PLD_PREDICT_V:
    case PLD_PREDICT_TRIGFLOW:
        return a * x - s * output;
    case PLD_PREDICT_FLOW: /* a + s is 1 */
        return x - s * output;
    case PLD_PREDICT_SAMPLE:
        break;
    }
    return output;
}

/** ε from a network output, x = a·x0 + s·ε. */
static inline float pld_epsilon_preserving(pld_prediction prediction, float output, float x, float a,
                                           float s) {
    switch (prediction) {
    case PLD_PREDICT_V:
    case PLD_PREDICT_TRIGFLOW:
        return a * output + s * x;
    case PLD_PREDICT_SAMPLE:
        return (x - a * output) / s;
    case PLD_PREDICT_FLOW:
        return x + a * output;
    case PLD_PREDICT_EPSILON:
        break;
    }
    return output;
}

/** x0 from a network output, x = x0 + σ·ε (Karras et al. 2022, arXiv 2206.00364, table 1, for v), or of a
 * flow at σ. */
static inline float pld_x0_exploding(pld_prediction prediction, float output, float x, float sigma) {
    float variance = sigma * sigma + 1;
    switch (prediction) {
    case PLD_PREDICT_EPSILON:
    case PLD_PREDICT_FLOW:
        return x - sigma * output;
    case PLD_PREDICT_V:
        return output * (-sigma / sqrtf(variance)) + x / variance;
    case PLD_PREDICT_SAMPLE:
    case PLD_PREDICT_TRIGFLOW: /* no sampler of this space takes it */
        break;
    }
    return output;
}

/** The nearest value in [−range, range]. NaN stays NaN. */
static inline float pld_clamp(float value, float range) {
    return value < -range ? -range : value > range ? range : value;
}

#endif
