/* SPDX-License-Identifier: Apache-2.0 */
/* Rotary embedding of places: a share of each head's numbers turns with each axis (Su et al. 2021, arXiv 2104.09864).
 * Neighbouring numbers are pairs. The caption counts 1, 2, … on the first axis, its padding, too; the picture stands behind it
 * there, and its padding at 0. */
#include "models/blocks/angles.h"
#include "models/zimage/zimage.h"

static const double heads_epsilon = 1e-5;

/** What the table of angles depends on. */
typedef struct places {
    double theta;
    int32_t image, rows, columns, text;
    int32_t axes[PLD_ZIMAGE_AXES];
    bool image_only;
} places;

/** Place of token `token`. */
static void place_of(const places *p, int64_t token, int64_t place[PLD_ZIMAGE_AXES]) {
    place[0] = place[1] = place[2] = 0;
    if (token >= p->image) {
        place[0] = 1 + token - p->image;
    } else if (token < (int64_t)p->rows * p->columns) {
        place[0] = (int64_t)p->text + 1;
        place[1] = token / p->columns;
        place[2] = token % p->columns;
    }
}

/** table [2, T, head_size / 2] */
static void fill(const void *description, float *table) {
    const places *p = description;
    const int64_t half = (p->axes[0] + p->axes[1] + p->axes[2]) / 2;
    const int64_t tokens = p->image + (p->image_only ? 0 : p->text);
    for (int64_t token = 0; token < tokens; token++) {
        int64_t place[PLD_ZIMAGE_AXES];
        float *at = table + token * half;
        place_of(p, token, place);
        for (int axis = 0; axis < PLD_ZIMAGE_AXES; axis++) {
            pld_rotary_angles_rounded((double)place[axis], p->axes[axis], p->theta, at, at + tokens * half);
            at += p->axes[axis] / 2;
        }
    }
}

pld_value_id pld_zimage_rotate(pld_builder *b, const pld_zimage_config *c, const char *norm, pld_value_id x,
                               const pld_zimage_tokens *tokens) {
    const places at = {.theta = c->theta,
                       .image = (int32_t)tokens->image,
                       .rows = (int32_t)tokens->rows,
                       .columns = (int32_t)tokens->columns,
                       .text = (int32_t)tokens->text,
                       .axes = {(int32_t)c->axes[0], (int32_t)c->axes[1], (int32_t)c->axes[2]},
                       .image_only = tokens->image_only};
    const pld_rotation_options options = {.heads = c->heads,
                                          .norm = norm,
                                          .epsilon = heads_epsilon,
                                          .width = c->width / c->heads,
                                          .fill = fill,
                                          .description = &at,
                                          .description_bytes = sizeof at};
    return pld_rotate_heads(b, x, &options);
}
