/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "models/zimage/zimage.h"

static const double norm_epsilon = 1e-6; /* of the last norm */

/** The embedding of the time, which the last layer alone reads through SiLU. */
static pld_value_id time_embedding(pld_builder *b, const pld_zimage_config *c, int64_t batch) {
    size_t mark = pld_scope_enter(b, "t_embedder");
    pld_value_id x = pld_timestep_scaled(b, batch, PLD_ZIMAGE_SINUSOIDS, c->time_scale);
    x = pld_activate(b, pld_linear(b, "mlp.0", x, PLD_ZIMAGE_TIME_WIDTH, PLD_BIAS), PLD_SILU);
    x = pld_linear(b, "mlp.2", x, pld_zimage_time_width(c), PLD_BIAS);
    pld_scope_leave(b, mark);
    pld_tap(b, "t_embedder", x);
    return x;
}

/** Blocks GROUP.0, GROUP.1, … */
static pld_value_id blocks(pld_builder *b, const pld_zimage_config *c, const char *group, int64_t count,
                           pld_value_id x, pld_value_id time, const pld_zimage_tokens *tokens) {
    for (int64_t i = 0; i < count; i++) {
        char name[PLD_PLAN_NAME];
        snprintf(name, sizeof name, "%s.%d", group, (int)i);
        b->block_count += !tokens->image_only; /* options count the blocks of both kinds of tokens */
        x = pld_zimage_block(b, c, name, x, time, tokens);
    }
    return x;
}

/** The last norm and the way back to latents, of the picture's tokens. */
static pld_value_id output_of(pld_builder *b, const pld_zimage_config *c, pld_value_id x, pld_value_id time) {
    const int64_t area = (int64_t)PLD_ZIMAGE_PATCH * PLD_ZIMAGE_PATCH;
    size_t mark = pld_scope_enter(b, "all_final_layer.2-1");
    pld_value_id scale = pld_activate(b, time, PLD_SILU); /* nothing reads it after this */
    scale = pld_linear(b, "adaLN_modulation.1", scale, c->width, PLD_BIAS);
    x = pld_layer_norm_modulated(b, x, norm_epsilon, (pld_slice){scale, 0}, PLD_NO_SLICE);
    x = pld_linear(b, "linear", x, area * c->channels, pld_at_an_end(PLD_BIAS));
    pld_scope_leave(b, mark);
    pld_tap(b, "all_final_layer.2-1", x);
    return pld_unpatchify(b, x, c->channels, PLD_ZIMAGE_PATCH, true);
}

pld_status pld_zimage_build(pld_plan *plan, const void *config, const pld_denoiser_shape *shape,
                            pld_denoiser_values *values, pld_error *error) {
    const pld_zimage_config *c = config;
    pld_zimage_tokens tokens = {.rows = shape->height / PLD_ZIMAGE_PATCH,
                                .columns = shape->width / PLD_ZIMAGE_PATCH,
                                .text = pld_zimage_filled(shape->text_tokens),
                                .image_only = true};
    tokens.image = pld_zimage_filled(tokens.rows * tokens.columns);
    pld_builder b;
    pld_builder_init(&b, plan, error);
    b.sharing = shape->sharing;
    plan->name = "transformer";
    values->sample = pld_input(&b, shape->batch, shape->height, shape->width, c->channels);
    const pld_value_id time = time_embedding(&b, c, shape->batch);
    pld_value_id x = pld_patchify_as(&b, values->sample, PLD_ZIMAGE_PATCH, true);
    x = pld_linear(&b, "all_x_embedder.2-1", x, c->width, pld_at_an_end(PLD_BIAS));
    pld_tap(&b, "all_x_embedder.2-1", x);
    x = pld_pad_tokens(&b, "x_pad_token", x, tokens.image - tokens.rows * tokens.columns);
    x = blocks(&b, c, "noise_refiner", c->refiners, x, time, &tokens);
    tokens.image_only = false;
    const pld_value_id caption = pld_take_outside(&b, shape->batch, tokens.text, c->width);
    x = pld_concat_tokens(&b, x, pld_rows_like(&b, caption, x));
    x = blocks(&b, c, "layers", c->layers, x, time, &tokens);
    x = output_of(&b, c, pld_take(&b, x, 0, tokens.rows, tokens.columns, c->width), time);
    pld_keep(&b, x);
    values->output = x;
    return b.status;
}
