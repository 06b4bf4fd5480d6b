/* SPDX-License-Identifier: Apache-2.0 */
#include "sampling/schedules/training_levels.h"

#include <math.h>

static double shifted(double shift, double t) {
    return shift * t / (1 + (shift - 1) * t);
}

double pld_training_sigma(const pld_training_levels *levels, size_t index) {
    if (levels->sigmas) {
        return (double)levels->sigmas[index];
    }
    return shifted(levels->shift, (double)(index + 1) / (double)levels->count);
}

double pld_training_last_time(const pld_training_levels *levels) {
    return levels->sigmas ? (double)(levels->count - 1) : pld_training_sigma(levels, levels->count - 1);
}

double pld_training_first_time(const pld_training_levels *levels) {
    return levels->sigmas ? 0 : pld_training_sigma(levels, 0);
}

double pld_training_sigma_at_time(const pld_training_levels *levels, double time) {
    if (!levels->sigmas) {
        return shifted(levels->shift, time);
    }
    double last = (double)(levels->count - 1);
    double inside = fmin(fmax(time, 0), last);
    size_t low = (size_t)inside;
    size_t high = low + (inside > (double)low);
    double weight = inside - (double)low;
    return exp((1 - weight) * (double)levels->log_sigmas[low] + weight * (double)levels->log_sigmas[high]);
}
