/* SPDX-License-Identifier: Apache-2.0 */
/** Schemas of bodies and replies: of requests from the table of options and an interface's rules, of replies as they are made. */
#ifndef PLADIS_SERVER_API_SCHEMAS_H
#define PLADIS_SERVER_API_SCHEMAS_H

#include "base/json.h"

/** All, by their names. */
json_t *schemas_all(reply_builder *builder);

#endif
