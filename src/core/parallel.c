/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "core/parallel.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "core/pool.h"
#include "core/text.h"

/* Ranges for each thread: enough that a thread which loses its processor for a while leaves its share to
 * others. */
enum { RANGES = 16 };

/* A program's loop in place of the pool; both are written while nothing runs. */
static _Atomic(pld_parallel_loop) given_loop;
static _Atomic(void *) given_user;

void pld_set_parallel_loop(pld_parallel_loop loop, void *user) {
    atomic_store(&given_user, user);
    atomic_store(&given_loop, loop);
}

void pld_parallel_for(int threads, size_t count, pld_parallel_body body, void *context) {
    const int workers = count < (size_t)threads ? (int)count : threads;
    if (workers <= 1) {
        if (count > 0) {
            body(context, 0, count, 0);
        }
        return;
    }
    const pld_parallel_loop loop = atomic_load_explicit(&given_loop, memory_order_acquire);
    if (loop) {
        loop(atomic_load(&given_user), workers, count, body, context);
        return;
    }
    const size_t most = (size_t)workers * RANGES;
    pld_pool_run(workers, count, count < most ? count : most, body, context);
}

enum { LINE_BYTES = 128 };

/** The first line of a file of the system; "" when there is none. */
static void read_line(const char *path, char line[LINE_BYTES]) {
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, LINE_BYTES, file)) {
        line[0] = '\0';
    }
    if (file) {
        fclose(file);
    }
}

/** Whole processors that the cgroup (version 2, then 1) grants, or 0 when nothing limits them ("max", -1). */
static int cgroup_quota(void) {
    char line[LINE_BYTES], other[LINE_BYTES];
    uint64_t quota = 0, period = 0;
    read_line("/sys/fs/cgroup/cpu.max", line);
    const char *rest = line;
    if (line[0]) {
        (void)pld_parse_natural(line, INT64_MAX, &quota, &rest);
        rest += *rest == ' ';
    } else {
        read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line);
        read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", other);
        (void)pld_parse_natural(line, INT64_MAX, &quota, NULL);
        rest = other;
    }
    if (!pld_parse_natural(rest, INT64_MAX, &period, NULL) || quota == 0 || period == 0) {
        return 0;
    }
    const uint64_t whole = quota / period;
    return whole < 1 ? 1 : whole > INT32_MAX ? INT32_MAX : (int)whole;
}

/** Hardware threads of one core of the first processor: 1 when the kernel does not tell. */
static int threads_per_core(void) {
    char line[LINE_BYTES];
    const char *rest = line;
    uint64_t number = 0;
    read_line("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", line);
    return pld_parse_natural(rest, INT32_MAX, &number, &rest) && (*rest == ',' || *rest == '-') &&
                   pld_parse_natural(rest + 1, INT32_MAX, &number, NULL)
               ? 2
               : 1;
}

int pld_available_threads(void) {
    cpu_set_t set;
    int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int per_core = threads_per_core();
    int cores = processors > per_core ? processors / per_core : 1;
    int quota = cgroup_quota();
    return quota > 0 && quota < cores ? quota : cores;
}
