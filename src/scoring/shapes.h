/* SPDX-License-Identifier: Apache-2.0 */
/** The outlines of the shapes as signed distances: world.py's definition, which both renderer and scorer
 * read. */
#ifndef PLD_SCORING_SHAPES_H
#define PLD_SCORING_SHAPES_H

#include "core/status.h"
#include "scoring/world.h"

enum { PLD_SHAPE_GRID = 257 }; /* points a side over [-2, 2] */

typedef struct pld_shape_template {
    float *distance;                 /**< [PLD_SHAPE_GRID, PLD_SHAPE_GRID], negative inside, radius 1 */
    double left, top, right, bottom; /**< bounding box of the inside */
} pld_shape_template;

struct pld_scorer {
    pld_shape_template shapes[PLD_SHAPE_COUNT];
};

/** Signed distance at unit coordinates, bilinear between the points of the grid. */
double pld_shape_distance(const pld_shape_template *shape, double u, double v);

#endif
