/* SPDX-License-Identifier: Apache-2.0 */
/** One state of each text, chosen by its ids. */
#include <string.h>

#include "backends/cpu/operators.h"

/** Position of the first id that is `wanted` (PLD_LARGEST_ID: the largest); 0 when there is none. */
static int64_t find_position(const int32_t *ids, int64_t count, int32_t wanted) {
    int64_t best = 0;
    for (int64_t i = 0; i < count; i++) {
        if (wanted == PLD_LARGEST_ID ? ids[i] > ids[best] : ids[i] == wanted) {
            best = i;
            if (wanted != PLD_LARGEST_ID) {
                break;
            }
        }
    }
    return best;
}

/** in [B, T, C] → out [B, 1, C]: the row at the chosen position of run->ids [B, T]. */
static pld_status run_pool(pld_executable *e, const pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = pld_value_at(e, op->in);
    const int64_t tokens = in->height * in->width;
    const float *states = pld_cpu_data(e, op->in);
    float *out = pld_cpu_data(e, op->out);
    for (int64_t b = 0; b < in->batch; b++) {
        const int64_t row = b * tokens + find_position(e->run->ids + b * tokens, tokens, op->token);
        memcpy(out + b * in->channels, states + row * in->channels, (size_t)in->channels * sizeof *out);
    }
    return PLD_OK;
}

const pld_operator_code pld_cpu_pool = {NULL, NULL, run_pool};
