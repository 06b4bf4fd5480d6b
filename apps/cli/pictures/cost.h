/* SPDX-License-Identifier: Apache-2.0 */
/** What PLADIS costs, told from pictures that differ by it alone, where that can be told. */
#ifndef PLADIS_CLI_PICTURES_COST_H
#define PLADIS_CLI_PICTURES_COST_H

#include <stdbool.h>
#include <stddef.h>

/** How long each call of the network took in one picture. Zero at the start; free with call_times_free. */
typedef struct call_times {
    double *seconds; /**< [count] */
    size_t count, capacity;
    double last; /**< when the last call ended, since the generation began */
} call_times;

/** Note that a call ended `now` seconds after the generation began; `step` 0 is the moment before the
 * first. Without memory the call is left out. */
void call_times_note(call_times *times, int step, double now);
void call_times_free(call_times *times);

/** Seconds that the calls of a picture take, in the median. */
typedef struct pladis_cost {
    double without, with;
} pladis_cost;

/** Measure it from pictures without PLADIS [without_count] and with it [with_count]. The first call of
 * each picture is left out, since it makes ready what the others find. False where noise dominates:
 * unless in each half of each picture three quarters of the calls with PLADIS took longer than three
 * quarters of those without did in each half of each of theirs. A picture of less than eleven calls is
 * one half; one of less than six tells nothing. */
bool pladis_cost_measure(const call_times *const *without, size_t without_count,
                         const call_times *const *with, size_t with_count, pladis_cost *cost);

#endif
