/* SPDX-License-Identifier: Apache-2.0 */
/** The threads that all loops of the process share (core/parallel.h is who uses it).
 *
 *  A loop stands on its caller's stack and is cut into ranges, which are taken one after the other by an atomic counter: by
 * the caller and by as many idle threads as are there and may join. Nobody waits for a thread that has not begun: what it
 * would have done the others do. The caller of a loop waits only for those who are within one of its ranges, and who
 * works on a nested loop never waits on the one around it, so loops cannot wait in a circle.
 *
 *  The budget is what keeps sessions from crowding each other out: threads that compute, callers included, are at most
 * the cores, or what a loop asks for if that is more. A thread over the budget leaves its loop after the range it is in. */
#ifndef PLD_CORE_POOL_H
#define PLD_CORE_POOL_H

#include <stddef.h>

#include "pladis/parallel.h"

/** Run `body` on `count` items in `ranges` ranges on the calling thread, number 0, and up to threads - 1 others. */
void pld_pool_run(int threads, size_t count, size_t ranges, pld_parallel_body body, void *context);

/** Threads that the pool has at present, for tests. */
int pld_pool_threads(void);

#endif
