/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/angles.h"

#include <math.h>

static double angle_of(double place, int64_t i, int64_t count, double theta) {
    return place * pow(theta, -2 * (double)i / (double)count);
}

void pld_rotary_angles(double place, int64_t count, double theta, float *cosines, float *sines) {
    for (int64_t i = 0; i < count / 2; i++) {
        const double angle = angle_of(place, i, count, theta);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
}

void pld_rotary_angles_rounded(double place, int64_t count, double theta, float *cosines, float *sines) {
    for (int64_t i = 0; i < count / 2; i++) {
        const double angle = (double)(float)angle_of(place, i, count, theta);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
}
