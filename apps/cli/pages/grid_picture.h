/* SPDX-License-Identifier: Apache-2.0 */
/** The picture and the table of `pladis grid`. */
#ifndef PLADIS_CLI_PAGES_GRID_PICTURE_H
#define PLADIS_CLI_PAGES_GRID_PICTURE_H

#include "canvas/canvas.h"
#include "pictures/picture.h"

/** Values of x from left to right, of y (NULL: one row) from top to bottom, as the pictures of the list. */
typedef struct picture_grid {
    const sweep_axis *x, *y;
    const picture_list *pictures;
} picture_grid;

/** Pictures enlarged `zoom` times, the values at the axes, over them what all share and the model's name.
 * Free with canvas_free. False after an error line. */
bool grid_picture_compose(const picture_grid *grid, const char *model_name, int zoom, pld_image *result);

/** The same question before anything is drawn: whether the grid fits one picture, where the list's images
 * have their sizes and no pixels yet. Gives the exit code. */
int grid_picture_check(const picture_grid *grid, const char *model_name, int zoom);

/** A line for each picture: place, values, what was in force, what it cost, how far it is from the first.
 * Whole or not at all. Gives the exit code. */
int grid_picture_write_csv(const picture_grid *grid, const char *path);

#endif
