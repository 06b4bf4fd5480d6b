/* SPDX-License-Identifier: Apache-2.0 */
/** What the server has done so far; all grow, but for those that say "now". */
#ifndef PLADIS_SERVER_BASE_COUNTERS_H
#define PLADIS_SERVER_BASE_COUNTERS_H

#include <stdatomic.h>

typedef struct server_counters {
    atomic_ullong requests, refused; /**< replies, and those of a status from 400 on */
    atomic_ullong jobs_done, jobs_failed, jobs_cancelled;
    atomic_ullong pictures, steps;
    atomic_ullong drawing_milliseconds;
    atomic_ullong models_opened, models_given_back;
    atomic_llong connections_now, body_bytes_now;
} server_counters;

#endif
