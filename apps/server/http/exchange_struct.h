/* SPDX-License-Identifier: Apache-2.0 */
/** What an exchange is made of, for this room alone. */
#ifndef PLADIS_SERVER_HTTP_EXCHANGE_STRUCT_H
#define PLADIS_SERVER_HTTP_EXCHANGE_STRUCT_H

#include <microhttpd.h>

#include "base/text_buffer.h"
#include "http/daemon.h"
#include "http/watch.h"

enum { EXCHANGE_TAIL = 256, EXCHANGE_METHOD = 16, EXCHANGE_PATH = 512, EXCHANGE_HEADERS = 4 };

/** A part of a form while it is read. */
typedef struct held_part {
    char *name;
    bool is_file;
    text_buffer bytes;
} held_part;

struct exchange {
    http_daemon *daemon;
    struct MHD_Connection *connection;
    const route *route;
    watched *watched; /* the connection, among those with a deadline */
    char tail[EXCHANGE_TAIL], client[64];
    char method[EXCHANGE_METHOD], path[EXCHANGE_PATH];
    bool is_form, too_large, answered;
    text_buffer body;
    struct MHD_PostProcessor *post;
    held_part *parts; /* [part_count] */
    size_t part_count;
    size_t held; /* bytes of the body that count against the server's */
    unsigned status;
    uint64_t sent;
    double begin;
    const char *header_names[EXCHANGE_HEADERS];
    char header_values[EXCHANGE_HEADERS][128];
    size_t header_count;
};

/** Read a piece of a body; false: it cannot be taken, and the exchange says why (too_large), or memory is out. */
bool exchange_take_body(exchange *reading, const char *bytes, size_t size);

/** After the last piece. False: a form is not complete. */
bool exchange_end_body(exchange *reading);
void exchange_free(exchange *freed);

#endif
