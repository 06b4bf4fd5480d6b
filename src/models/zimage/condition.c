/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt gives to every evaluation: its tokens through the blocks that see it alone, which know no time. */
#include <stdio.h>

#include "models/zimage/zimage.h"

pld_status pld_zimage_condition_build(pld_plan *plan, const void *config,
                                      const pld_condition_request *request, pld_condition_values *values,
                                      pld_error *error) {
    const pld_zimage_config *c = config;
    const pld_zimage_tokens tokens = {.text = pld_zimage_filled(request->tokens)};
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "caption";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->text_width), PLD_NO_VALUE};
    pld_value_id x = pld_rms_norm(&b, "cap_embedder.0", values->states, c->epsilon);
    x = pld_linear(&b, "cap_embedder.1", x, c->width, pld_in_f32(true));
    pld_tap(&b, "cap_embedder", x);
    x = pld_pad_tokens(&b, "cap_pad_token", x, tokens.text - request->tokens);
    for (int64_t i = 0; i < c->refiners; i++) {
        char name[PLD_PLAN_NAME];
        snprintf(name, sizeof name, "context_refiner.%d", (int)i);
        x = pld_zimage_block(&b, c, name, x, PLD_NO_VALUE, &tokens);
    }
    pld_offer(&b, x);
    return b.status;
}
