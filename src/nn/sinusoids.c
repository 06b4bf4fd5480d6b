/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/sinusoids.h"

#include <math.h>

void pld_sinusoids_of(const pld_sinusoids *s, const float *values, int64_t count, float *out) {
    const int64_t half = s->channels / 2;
    for (int64_t row = 0; row < count; row++, out += s->channels) {
        float *cosine = s->flip_sin_to_cos ? out : out + half;
        float *sine = s->flip_sin_to_cos ? out + half : out;
        out[s->channels - 1] = 0; /* of an odd width */
        for (int64_t i = 0; i < half; i++) {
            float exponent = (float)(-log(10000.0)) * (float)i / ((float)half - s->shift);
            float angle = values[row] * expf(exponent);
            cosine[i] = cosf(angle);
            sine[i] = sinf(angle);
        }
    }
}
