/* SPDX-License-Identifier: Apache-2.0 */
/* What a prompt gives to every evaluation. */
#include <string.h>

#include "models/unet/unet.h"
#include "nn/sinusoids.h"

/** add_embedding: two linear layers on the pooled embedding and the sinusoids of the time ids. */
static void addition_embedding(pld_builder *b, const pld_unet_config *c, pld_condition_values *values) {
    const int64_t width = 4 * c->widths[0];
    values->told = pld_input(b, 1, 1, 1, c->pooled_width + PLD_UNET_TIME_IDS * c->time_id_width);
    size_t mark = pld_scope_enter(b, "add_embedding");
    pld_value_id x = pld_activate(b, pld_linear(b, "linear_1", values->told, width, PLD_BIAS), PLD_SILU);
    x = pld_linear(b, "linear_2", x, width, PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, "add_embedding", x);
    pld_offer(b, x);
}

void pld_unet_tell(const void *config, const float *pooled, const pld_picture_facts *picture, float *told) {
    const pld_unet_config *c = config;
    const pld_sinusoids sinusoids = {c->time_id_width, c->flip_sin_to_cos, (float)c->frequency_shift};
    const float time_ids[PLD_UNET_TIME_IDS] = {
        (float)picture->original_height, (float)picture->original_width, (float)picture->crop_top,
        (float)picture->crop_left,       (float)picture->target_height,  (float)picture->target_width};
    memcpy(told, pooled, (size_t)c->pooled_width * sizeof *told);
    pld_sinusoids_of(&sinusoids, time_ids, PLD_UNET_TIME_IDS, told + c->pooled_width);
}

pld_status pld_unet_condition_build(pld_plan *plan, const void *config, const pld_condition_request *request,
                                    pld_condition_values *values, pld_error *error) {
    const pld_unet_config *c = config;
    pld_builder b;
    pld_builder_init(&b, plan, error);
    plan->name = "text_keys_and_values";
    *values = (pld_condition_values){pld_input(&b, 1, request->tokens, 1, c->context_width), PLD_NO_VALUE};
    if (c->pooled_width) {
        addition_embedding(&b, c, values);
    }
    for (size_t i = 0; i < request->site_count; i++) {
        const pld_site *site = &request->sites[i];
        if (site->kind != PLD_SITE_CROSS) {
            continue;
        }
        const int64_t width = (int64_t)site->heads * site->head_size;
        size_t mark = pld_scope_enter(&b, "%s", site->name);
        pld_offer(&b, pld_linear(&b, "to_k", values->states, width, pld_in_f32(false)));
        pld_offer(&b, pld_linear(&b, "to_v", values->states, width, pld_in_f32(false)));
        pld_scope_leave(&b, mark);
    }
    return b.status;
}
