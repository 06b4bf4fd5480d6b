/* SPDX-License-Identifier: Apache-2.0 */
/** The one parallel loop of the library. OpenMP stands behind it (oneDNN shares that pool). */
#ifndef PLD_CORE_PARALLEL_H
#define PLD_CORE_PARALLEL_H

#include <stddef.h>

/** The body gets its half-open range of items and the number of the thread that runs it, in [0, threads). */
typedef void (*pld_parallel_body)(void *context, size_t begin, size_t end, int thread);

/** Split [0, count) into contiguous ranges of near equal length, some for each thread, which takes the next
 * when it is through with one: what a range needs beside its items is better made before. Who runs a range is
 * not determined, so a result must not depend on it; the split depends on count and threads alone. */
void pld_parallel_for(int threads, size_t count, pld_parallel_body body, void *context);

/** Processors this process may use: affinity mask and cgroup quota, physical cores where it can be told.
 * >= 1. */
int pld_available_threads(void);

/** Set OpenMP's thread count for oneDNN's sake and give back the caller's former value. */
int pld_swap_openmp_threads(int threads);

#endif
