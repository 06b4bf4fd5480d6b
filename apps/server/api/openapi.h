/* SPDX-License-Identifier: Apache-2.0 */
/** The interfaces as an OpenAPI description, made of the table of routes, the rules of fields and the table of options. */
#ifndef PLADIS_SERVER_API_OPENAPI_H
#define PLADIS_SERVER_API_OPENAPI_H

#include "base/json.h"

/** NULL: memory is out. */
json_t *openapi_document(void);

#endif
