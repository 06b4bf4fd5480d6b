/* SPDX-License-Identifier: Apache-2.0 */
/** The picture of --compare. */
#ifndef PLADIS_CLI_PAGES_COMPARISON_H
#define PLADIS_CLI_PAGES_COMPARISON_H

#include "canvas/canvas.h"
#include "pictures/picture.h"

/** A row for each prompt and seed: its variants, and how each differs from the first. Two variants have their
 * difference beside them, more below them. What all share stands over it, with the model's name. Free with
 * canvas_free. False after an error line. */
bool comparison_compose(const generate_request *request, const picture_list *pictures, const char *model_name,
                        pld_image *result);

/** The same question before anything is drawn: whether it fits one picture, where the list's images have
 * their sizes and no pixels yet. Gives the exit code. */
int comparison_check(const generate_request *request, const picture_list *pictures, const char *model_name);

#endif
