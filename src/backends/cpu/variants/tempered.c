/* SPDX-License-Identifier: Apache-2.0 */
/* PLADIS with a sharpened softmax in place of entmax: the paper's ablation. */
#include "backends/cpu/variants/variant.h"

/** dense + λ·(softmax(z/T) − dense). The mix is linear in the weights, so that of the outputs is the same. */
pld_status pld_cpu_tempered(pld_attention_call *call, float *out, pld_error *error) {
    const pld_attention_choice *choice = call->choice;
    call->problem.temperature = choice->temperature;
    PLD_TRY(pld_attention_pass(call, PLD_ROWS_TEMPERED, out, error));
    if (choice->lambda == 1) {
        return PLD_OK;
    }
    float *dense = pld_attention_spare(call, PLD_SPARE_ROWS);
    PLD_TRY(pld_attention_pass(call, PLD_ROWS_SOFTMAX, dense, error));
    const int64_t count = call->problem.query_count * call->channels;
    for (int64_t i = 0; i < count; i++) {
        out[i] = dense[i] + choice->lambda * (out[i] - dense[i]);
    }
    return PLD_OK;
}
