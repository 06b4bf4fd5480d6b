/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/angles.h"

#include <math.h>

void pld_rotary_angles(double place, int64_t count, double theta, float *cosines, float *sines) {
    for (int64_t i = 0; i < count / 2; i++) {
        const double angle = place * pow(theta, -2 * (double)i / (double)count);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
}
