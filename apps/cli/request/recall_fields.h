/* SPDX-License-Identifier: Apache-2.0 */
/** The fields of a picture's metadata as options. */
#ifndef PLADIS_CLI_REQUEST_RECALL_FIELDS_H
#define PLADIS_CLI_REQUEST_RECALL_FIELDS_H

#include <jansson.h>

#include "request/generate_options.h"

/** Store what `top` says of picture `number` (from 1; 0: the only one), and that it is recorded. Strings are
 * borrowed. A `foreign` program need not name a model, which is NULL then. Not OPTIONS_RUN after an error
 * line. */
options_result recall_store(const char *path, const json_t *top, bool foreign, int64_t number,
                            generate_request *request);

#endif
