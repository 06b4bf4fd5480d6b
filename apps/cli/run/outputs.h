/* SPDX-License-Identifier: Apache-2.0 */
/** What generate and grid ask about their outputs before they draw. */
#ifndef PLADIS_CLI_RUN_OUTPUTS_H
#define PLADIS_CLI_RUN_OUTPUTS_H

#include "pictures/picture.h"
#include "request/generate_options.h"

/** Before the model is opened: every name fits what is written there, can become a file, and is no other
 * output and no input of the run. `table`: the grid's CSV, or NULL. Gives the exit code. */
int run_outputs_check(const generate_request *request, const picture_list *pictures, const char *table);

#endif
