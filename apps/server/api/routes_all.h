/* SPDX-License-Identifier: Apache-2.0 */
/** The routes of every interface. */
#ifndef PLADIS_SERVER_API_ROUTES_ALL_H
#define PLADIS_SERVER_API_ROUTES_ALL_H

#include "api/a1111_fill.h"
#include "api/openai_fill.h"
#include "http/routes.h"

extern const route openai_routes[], a1111_routes[], a1111_list_routes[], jobs_routes[], history_routes[],
    about_routes[], page_routes[];
extern const route_table all_routes;

/** Rules of fields, for the description. */
extern const field_rules jobs_rules;

#endif
