/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLADIS_SERVER_API_A1111_H
#define PLADIS_SERVER_API_A1111_H

#include "http/exchange.h"

/** Errors as A1111 gives them. */
json_t *a1111_error(unsigned status, const char *field, const char *message);

#endif
