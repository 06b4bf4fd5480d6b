/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLADIS_SERVER_HTTP_DAEMON_STRUCT_H
#define PLADIS_SERVER_HTTP_DAEMON_STRUCT_H

#include <microhttpd.h>

#include "http/daemon.h"
#include "http/watch.h"

struct http_daemon {
    http_setting setting;
    struct MHD_Daemon *daemon;
    watch *watching;
    int socket; /* taken back from the library when it is to listen no more; -1 */
};

#endif
