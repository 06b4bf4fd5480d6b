/* SPDX-License-Identifier: Apache-2.0 */
/** From a request to the function of its route. */
#ifndef PLADIS_SERVER_HTTP_DISPATCH_H
#define PLADIS_SERVER_HTTP_DISPATCH_H

#include <microhttpd.h>

/** The HTTP library's callbacks; `context` is the daemon. */
enum MHD_Result dispatch_request(void *context, struct MHD_Connection *connection, const char *path,
                                 const char *method, const char *version, const char *bytes, size_t *size,
                                 void **kept);
void dispatch_completed(void *context, struct MHD_Connection *connection, void **kept,
                        enum MHD_RequestTerminationCode how);

#endif
