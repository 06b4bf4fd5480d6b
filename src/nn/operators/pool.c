/* SPDX-License-Identifier: Apache-2.0 */
/** One state of each text, chosen by its ids. */
#include <string.h>

#include "nn/operators/operators.h"

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
static pld_status run_pool(pld_run *run, pld_operator *op, pld_error *error) {
    (void)error;
    const pld_value *in = &run->plan->values[op->in];
    const int64_t tokens = in->height * in->width;
    const float *states = pld_plan_data(run->plan, op->in);
    float *out = pld_plan_data(run->plan, op->out);
    for (int64_t b = 0; b < in->batch; b++) {
        const int64_t row = b * tokens + find_position(run->ids + b * tokens, tokens, op->token);
        memcpy(out + b * in->channels, states + row * in->channels, (size_t)in->channels * sizeof *out);
    }
    return PLD_OK;
}

const pld_operator_kind pld_operator_pool = {"pool", NULL, NULL, run_pool};
