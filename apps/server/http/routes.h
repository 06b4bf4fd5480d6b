/* SPDX-License-Identifier: Apache-2.0 */
/** The table of what can be asked for. The dispatcher, the description for clients (/api/openapi.json) and the checks of bodies come
 *  from it. */
#ifndef PLADIS_SERVER_HTTP_ROUTES_H
#define PLADIS_SERVER_HTTP_ROUTES_H

#include "http/exchange.h"

/** How an interface tells of errors: a document. `field` may be NULL. */
typedef json_t *(*error_form)(unsigned status, const char *field, const char *message);

/** What a request may carry. */
typedef enum route_body { BODY_NONE, BODY_JSON, BODY_FORM, BODY_JSON_OR_FORM, BODY_PNG } route_body;

typedef struct route {
    const char *method;
    const char *path; /**< a * stands for one part, the last but for a fixed rest */
    void (*handle)(exchange *asked);
    error_form error;
    route_body body;
    bool is_open; /**< needs no key: the page itself, and whether the server is alive */
    /* For the description. */
    const char *group, *summary;
    const char *schema;    /**< of the body: a name of api/schemas.h; NULL: none */
    const char *gives;     /**< type of the reply: "application/json", "image/png", … */
    const char *reply;     /**< schema of a JSON reply; NULL: any object */
    const char *parameter; /**< what the * of the path is, or NULL */
} route;

/** Rows, and how many. Given by whoever knows the interfaces. */
typedef struct route_table {
    const route *const *groups; /**< lists, each ended by one without a path [group_count] */
    size_t group_count;
} route_table;

enum { ROUTES_METHODS = 64 };

/** The row of a method and path; `tail` [size] gets what stood for the *. NULL: there is none, and `others` gets the methods with
 *  which the path is there, commas between. HEAD is GET. */
const route *routes_find(const route_table *table, const char *method, const char *path, char *tail,
                         size_t size, char others[ROUTES_METHODS]);

#endif
