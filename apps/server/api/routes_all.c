/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes_all.h"

static const route *const groups[] = {page_routes, openai_routes,  a1111_routes, a1111_list_routes,
                                      jobs_routes, history_routes, about_routes};

const route_table all_routes = {groups, sizeof groups / sizeof *groups};
