/* SPDX-License-Identifier: Apache-2.0 */
/** The one parallel loop of the library. Threads of its own stand behind it (core/pool.h), or a program's loop. */
#ifndef PLD_CORE_PARALLEL_H
#define PLD_CORE_PARALLEL_H

#include "pladis/parallel.h"

/** Split [0, count) into contiguous ranges of near equal length, some for each thread, which takes the next
 * when it is through with one: what a range needs beside its items is better made before. Who runs a range is
 * not determined, nor, with a program's loop, how items are split: a result must depend on neither. */
void pld_parallel_for(int threads, size_t count, pld_parallel_body body, void *context);

/** Processors this process may use: affinity mask and cgroup quota, physical cores where it can be told.
 * >= 1. */
int pld_available_threads(void);

#endif
