/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary embedding of places: a share of each head's numbers turns with the first axis, which is 0 everywhere, one with the
 * row and one with the column (Su et al. 2021, arXiv 2104.09864). Neighbouring numbers are pairs. */
#include "models/blocks/angles.h"
#include "models/flux/flux.h"

static const double theta = 10000;
static const double heads_epsilon = 1e-6;

/** What the table of angles depends on. */
typedef struct places {
    int64_t text;          /* tokens at place 0 in front */
    int64_t height, width; /* of the picture, in tokens */
    int64_t axes[PLD_FLUX_AXES];
} places;

/** table [2, text + height·width, head_size / 2] */
static void fill(const void *description, float *table) {
    const places *p = description;
    const int64_t half = (p->axes[0] + p->axes[1] + p->axes[2]) / 2;
    const int64_t tokens = p->text + p->height * p->width;
    for (int64_t token = 0; token < tokens; token++) {
        const int64_t pixel =
            token < p->text ? 0 : token - p->text; /* the text stands where the first one does */
        const int64_t place[PLD_FLUX_AXES] = {0, pixel / p->width, pixel % p->width};
        float *at = table + token * half;
        for (int axis = 0; axis < PLD_FLUX_AXES; axis++) {
            pld_rotary_angles((double)place[axis], p->axes[axis], theta, at, at + tokens * half);
            at += p->axes[axis] / 2;
        }
    }
}

pld_value_id pld_flux_rotate(pld_builder *b, const pld_flux_config *c, const char *norm, pld_value_id x,
                             int64_t text, int64_t height, int64_t width) {
    const places at = {
        .text = text, .height = height, .width = width, .axes = {c->axes[0], c->axes[1], c->axes[2]}};
    const pld_rotation_options options = {.heads = c->heads,
                                          .norm = norm,
                                          .epsilon = heads_epsilon,
                                          .width = c->head_size,
                                          .fill = fill,
                                          .description = &at,
                                          .description_bytes = sizeof at};
    return pld_rotate_heads(b, x, &options);
}

pld_value_id pld_flux_norm_heads(pld_builder *b, const pld_flux_config *c, const char *norm, pld_value_id x) {
    const pld_rotation_options options = {.heads = c->heads, .norm = norm, .epsilon = heads_epsilon};
    return pld_rotate_heads(b, x, &options);
}
