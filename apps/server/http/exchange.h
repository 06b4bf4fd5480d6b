/* SPDX-License-Identifier: Apache-2.0 */
/** A request and its reply, as the interfaces see them: nothing of the HTTP library shows. An exchange belongs to the thread of
 *  its connection, which may wait in it. */
#ifndef PLADIS_SERVER_HTTP_EXCHANGE_H
#define PLADIS_SERVER_HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text_buffer.h"

struct server;
struct route;
typedef struct exchange exchange;

/** A part of a form. */
typedef struct form_part {
    const char *name;
    bool is_file;      /**< it came with the name of a file, which nobody looks at */
    const char *bytes; /**< a zero byte stands behind them */
    size_t size;
} form_part;

struct server *exchange_server(const exchange *asked);
const char *exchange_client(const exchange *asked); /**< its address */
const char *exchange_tail(const exchange *asked);   /**< of the path, where the route's pattern has a * */
const char *exchange_query(const exchange *asked, const char *name); /**< NULL: not given */
const char *exchange_header(const exchange *asked, const char *name);
const char *exchange_body(const exchange *asked, size_t *size);
bool exchange_is_form(const exchange *asked);
size_t exchange_part_count(const exchange *asked);
form_part exchange_part(const exchange *asked, size_t index);

/** Whether the client has closed the connection. */
bool exchange_is_gone(const exchange *asked);

/* ---- replies: one for each exchange ---- */

/** A document, which is taken over; NULL says that memory is out. */
void reply_json(exchange *answered, unsigned status, json_t *document);

/** Bytes that live as long as the program (`release` NULL), or that `release` gives back. */
void reply_bytes(exchange *answered, unsigned status, const char *type, const void *bytes, size_t size,
                 void (*release)(void *));

/** No body. */
void reply_empty(exchange *answered, unsigned status);

/** A header for the reply to come. */
void reply_header(exchange *answered, const char *name, const char *value);

/** An error in the form of the route's interface. `field`: the one that it is about, or NULL. */
void reply_error(exchange *answered, unsigned status, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The status of HTTP that says what a status of the library says. */
unsigned reply_status_of(int status);

/** A reply of server-sent events. `next` adds those that come next to `events`, for which it may wait some seconds, and gives
 *  whether there will be more. `end` is called in any case. */
void reply_events(exchange *answered, bool (*next)(void *user, text_buffer *events), void (*end)(void *user),
                  void *user);

bool exchange_is_answered(const exchange *asked);

#endif
