/* SPDX-License-Identifier: Apache-2.0 */
/* A loop on the threads of an OpenMP runtime, by the one function that its compilers call for a parallel region. */
#include <stdatomic.h>
#include <string.h>

#include "pladis/parallel.h"

/* Ranges for each thread, as those of core/parallel.c. */
enum { RANGES = 16 };

typedef void (*openmp_parallel)(void (*share)(void *data), void *data, unsigned threads, unsigned flags);

/** A loop that a team shares. */
typedef struct team {
    atomic_size_t next; /**< the first item that nobody has taken */
    atomic_int threads; /**< how many of the team have taken some */
    size_t count, range;
    pld_parallel_body body;
    void *context;
} team;

/** What each thread of the team does: ranges as long as there are some. */
static void take_ranges(void *data) {
    team *t = data;
    int thread = -1;
    for (;;) {
        const size_t begin = atomic_fetch_add(&t->next, t->range);
        if (begin >= t->count) {
            return;
        }
        if (thread < 0) {
            thread = atomic_fetch_add(&t->threads, 1);
        }
        const size_t left = t->count - begin;
        t->body(t->context, begin, begin + (left < t->range ? left : t->range), thread);
    }
}

void pld_openmp_loop(void *user, int threads, size_t count, pld_parallel_body body, void *context) {
    const size_t ranges = (size_t)(threads > 0 ? threads : 1) * RANGES;
    team shared = {
        .count = count, .range = count > ranges ? count / ranges : 1, .body = body, .context = context};
    openmp_parallel parallel;
    memcpy(&parallel, &user,
           sizeof parallel); // C has no conversion between pointers to objects and to functions
    parallel(take_ranges, &shared, threads > 0 ? (unsigned)threads : 1, 0);
}
