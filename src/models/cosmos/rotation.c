/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary embedding of places in a picture: a share of each head's numbers turns with the frame, one with the row and one
 * with the column (Su et al. 2021, arXiv 2104.09864). */
#include <math.h>

#include "models/blocks/angles.h"
#include "models/cosmos/cosmos.h"

/** diffusers' epsilon. ComfyUI has 1e-6, from which queries and keys, being large, differ by 3e-7. */
static const double heads_epsilon = 1e-5;

/** What the table of angles depends on. */
typedef struct grid {
    int64_t height, width; /* tokens */
    int64_t head_size;
    float scale[PLD_COSMOS_AXES];
} grid;

/** pld_rotary_angles for θ = 10000·scale^(count / (count − 2)): a scale above 1 turns slower, so that pictures larger than
 * those of training have angles that training had. */
static void turn(double place, int64_t count, double scale, float *cosines, float *sines) {
    const double theta = 10000 * pow(scale, (double)count / (double)(count - 2));
    pld_rotary_angles(place, count, theta, cosines, sines);
}

/** table [2, height·width, head_size / 2]: frame, row, column. There is one frame, the first. */
static void fill(const void *description, float *table) {
    const grid *g = description;
    const int64_t side = pld_cosmos_side_share(g->head_size), frame = pld_cosmos_frame_share(g->head_size);
    const int64_t half = g->head_size / 2, sines = g->height * g->width * half;
    for (int64_t y = 0; y < g->height; y++) {
        for (int64_t x = 0; x < g->width; x++) {
            float *at = table + (y * g->width + x) * half;
            turn(0, frame, (double)g->scale[0], at, at + sines);
            at += frame / 2;
            turn((double)y, side, (double)g->scale[1], at, at + sines);
            at += side / 2;
            turn((double)x, side, (double)g->scale[2], at, at + sines);
        }
    }
}

pld_value_id pld_cosmos_rotate(pld_builder *b, const pld_cosmos_config *c, const char *norm, pld_value_id x) {
    if (b->status != PLD_OK) {
        return PLD_NO_VALUE;
    }
    const pld_value *tokens = &b->plan->values[x];
    const grid places = {
        .height = tokens->height,
        .width = tokens->width,
        .head_size = c->head_size,
        .scale = {(float)c->rope_scale[0], (float)c->rope_scale[1], (float)c->rope_scale[2]}};
    const pld_rotation_options options = {.heads = c->heads,
                                          .norm = norm,
                                          .epsilon = heads_epsilon,
                                          .width = c->head_size,
                                          .halves = true,
                                          .fill = fill,
                                          .description = &places,
                                          .description_bytes = sizeof places};
    return pld_rotate_heads(b, x, &options);
}

pld_value_id pld_cosmos_norm_heads(pld_builder *b, const pld_cosmos_config *c, const char *norm,
                                   pld_value_id x) {
    const pld_rotation_options options = {.heads = c->heads, .norm = norm, .epsilon = heads_epsilon};
    return pld_rotate_heads(b, x, &options);
}
