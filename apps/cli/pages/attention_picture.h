/* SPDX-License-Identifier: Apache-2.0 */
/** The picture of --attention-maps. */
#ifndef PLADIS_CLI_PAGES_ATTENTION_PICTURE_H
#define PLADIS_CLI_PAGES_ATTENTION_PICTURE_H

#include "canvas/canvas.h"
#include "pictures/picture.h"

/** A row for each word: the picture, and over it where attention goes, dense and sparse, in one scale of
 * colours, which stands beside them. Free with canvas_free. False after an error line. */
bool attention_picture_compose(const picture *drawn, const pld_attention_maps *maps, const char *model_name,
                               pld_image *result);

/** The same question before anything is drawn: whether the maps fit one picture, where the picture's image
 * has its size and no pixels yet. Gives the exit code. */
int attention_picture_check(const picture *drawn, const pld_attention_maps *maps, const char *model_name);

/** Name of the file of picture `index`: --attention-maps-output, or --output with "-attention". False after
 * an error line. */
bool attention_picture_name(const generate_request *request, size_t index, size_t count, char *name,
                            size_t size);

#endif
