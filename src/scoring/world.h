/* SPDX-License-Identifier: Apache-2.0 */
/** The colours of the demo model's world, as tools/demo_model/world.py paints them. */
#ifndef PLD_SCORING_WORLD_H
#define PLD_SCORING_WORLD_H

#include "pladis/scoring.h"

enum { PLD_SHAPE_COUNT = 7, PLD_COLOUR_COUNT = 8, PLD_BACKGROUND_COUNT = 4, PLD_PICTURE_SIDE = 128 };

typedef enum pld_shape {
    PLD_SHAPE_CIRCLE,
    PLD_SHAPE_SQUARE,
    PLD_SHAPE_TRIANGLE,
    PLD_SHAPE_STAR,
    PLD_SHAPE_RING,
    PLD_SHAPE_CROSS,
    PLD_SHAPE_HEART
} pld_shape;

enum { PLD_SIZE_SMALL, PLD_SIZE_LARGE };
enum { PLD_RELATION_LEFT_OF, PLD_RELATION_RIGHT_OF, PLD_RELATION_ABOVE, PLD_RELATION_BELOW };

/** RGB in 0 to 255. */
extern const float pld_world_colours[PLD_COLOUR_COUNT][3];
extern const float pld_world_backgrounds[PLD_BACKGROUND_COUNT][3];

#endif
