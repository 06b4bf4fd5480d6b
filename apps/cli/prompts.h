/* SPDX-License-Identifier: Apache-2.0 */
/** From the request to the list of pictures to draw. */
#ifndef PLADIS_CLI_PROMPTS_H
#define PLADIS_CLI_PROMPTS_H

#include "generate_options.h"
#include "picture.h"

/** Every prompt with every seed, and with --compare each without and with PLADIS. Gives the exit code. */
int prompts_make_pictures(const generate_request *request, picture_list *pictures);

void prompts_free_pictures(picture_list *pictures);

#endif
