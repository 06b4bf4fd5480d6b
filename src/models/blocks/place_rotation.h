/* SPDX-License-Identifier: Apache-2.0 */
/** Rotary embedding of places with several axes (Su et al. 2021, arXiv 2104.09864): shares of each head's numbers turn with
 *  the coordinates of a token, neighbouring numbers as pairs. The picture's tokens have a row and a column; the text's stand
 *  in front. */
#ifndef PLD_MODELS_BLOCKS_PLACE_ROTATION_H
#define PLD_MODELS_BLOCKS_PLACE_ROTATION_H

#include "io/json/read.h"
#include "nn/build.h"

enum { PLD_MOST_PLACE_AXES = 4 };

/** Which tokens a value has, and how the numbers of their heads turn. Axis 1 is the picture's row, axis 2 its column. */
typedef struct pld_places {
    double theta;
    int64_t text;          /**< tokens in front; they have coordinate 0 on every axis but text_axis */
    int64_t height, width; /**< of the picture, in tokens; 0: there is none */
    int32_t axes[PLD_MOST_PLACE_AXES]; /**< [axis_count] numbers of a head that turn with each axis, even */
    int32_t axis_count;
    int32_t text_axis; /**< on which the text's tokens are counted from 0; −1: on none */
} pld_places;

/** FIELD of a configuration, `count` shares of a head, each of which is pairs → axes [count]. Where it is absent they have to
 * hold the shares already. HEAD_FIELDS: what the configuration calls the size of a head. */
pld_status pld_place_axes_read(const pld_json *top, const char *field, const char *head_fields,
                               int64_t head_size, size_t count, int64_t *axes, pld_error *error);

/** Norm NAME of the heads of queries or keys x, and their rotation. Returns x. */
pld_value_id pld_rotate_places(pld_builder *b, const pld_places *places, int64_t heads, const char *norm,
                               double epsilon, pld_value_id x);

#endif
