/* SPDX-License-Identifier: Apache-2.0 */
/** From the request to the list of pictures to draw. */
#ifndef PLADIS_CLI_PICTURES_PROMPTS_H
#define PLADIS_CLI_PICTURES_PROMPTS_H

#include "pictures/picture.h"

/** Every prompt with every seed, and with --compare each in all its variants. Gives the exit code. */
int prompts_make_pictures(const generate_request *request, picture_list *pictures);

/** A picture for each value of `x` in each row of `y` (NULL: one row); both outlive the list. Gives the exit
 * code. */
int prompts_make_grid(const generate_request *request, const sweep_axis *x, const sweep_axis *y,
                      picture_list *pictures);

void prompts_free_pictures(picture_list *pictures);

#endif
