/* SPDX-License-Identifier: Apache-2.0 */
/** Whose threads the library computes on.
 *
 * By itself it makes threads when there is work for them, one less than an engine has (the calling thread works, too). All
 * engines and sessions of a process share them, and no more run at a time than the machine has cores, or a loop asks for.
 * One that finds no work sleeps after some microseconds. A thread that cannot be made means fewer threads, never a
 * failure. They block all signals, end when the library is unloaded or the process exits, and a child of fork() makes
 * its own.
 *
 * A program with threads of its own may hand over its own loop in place of them. */
#ifndef PLADIS_PARALLEL_H
#define PLADIS_PARALLEL_H

#include <stddef.h>

#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Does the items [begin, end) of a loop. `thread` is the number of who calls it, in [0, threads). */
typedef void (*pld_parallel_body)(void *context, size_t begin, size_t end, int thread);

/** A loop: cover [0, count) with calls of `body` on disjoint ranges, in any order, on any threads, at most `threads` of
 * them at a time; no two calls that run at once share a `thread`. Return when all have returned, and what they wrote
 * can be seen. It may be called by several threads at once, and by a body; it must then not wait for a thread that may
 * itself be waiting. How the ranges are cut changes no result. */
typedef void (*pld_parallel_loop)(void *user, int threads, size_t count, pld_parallel_body body,
                                  void *context);

/** From now on every loop of this process runs on `loop`, which is handed `user`; NULL: on the library's own threads
 * again. To be called while nothing is being computed. */
PLD_API void pld_set_parallel_loop(pld_parallel_loop loop, void *user);

/** A loop for the above, or for pld_attention, on the threads of an OpenMP runtime that the process has loaded, for programs
 * whose own parallel regions would otherwise keep the cores busy, waiting, while the library computes. `user`: the address
 * of the runtime's GOMP_parallel, which libgomp and LLVM's libomp export. */
PLD_API void pld_openmp_loop(void *user, int threads, size_t count, pld_parallel_body body, void *context);

#ifdef __cplusplus
}
#endif

#endif
