/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt gives to every evaluation: keys and values of each cross-attention. */
#include "models/cosmos/cosmos.h"

pld_status pld_cosmos_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error) {
    const pld_cosmos_config *c = config;
    const int64_t width = pld_cosmos_width(c);
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_keys_and_values";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->text_width), PLD_NO_VALUE};
    for (size_t i = 0; i < request->site_count; i++) {
        if (request->sites[i].kind == PLD_SITE_CROSS) {
            size_t mark = pld_scope_enter(&b, "%s", request->sites[i].name);
            pld_value_id key = pld_linear(&b, "to_k", values->states, width, pld_in_f32(false));
            pld_offer(&b, pld_cosmos_norm_heads(&b, c, "norm_k", key));
            pld_offer(&b, pld_linear(&b, "to_v", values->states, width, pld_in_f32(false)));
            pld_scope_leave(&b, mark);
        }
    }
    return b.status;
}
