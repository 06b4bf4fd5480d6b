/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLADIS_SERVER_BASE_CLOCK_H
#define PLADIS_SERVER_BASE_CLOCK_H

#include <pthread.h>

/** Seconds that only grow, and seconds since 1970. */
double clock_steady(void);
double clock_calendar(void);

/** Begin a condition that clock_wait can wait for. */
void clock_condition_init(pthread_cond_t *condition);

/** Wait for a condition, so many seconds at most. The mutex is held. */
void clock_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, double seconds);

#endif
