/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "core/parallel.h"

#include <sched.h>
#include <stdio.h>

#ifdef _OPENMP
#include <omp.h>
#endif

/* Ranges for each thread: enough that a thread which loses its processor for a while leaves its share to
 * others. */
enum { RANGES = 16 };

void pld_parallel_for(int threads, size_t count, pld_parallel_body body, void *context) {
    const int workers = count < (size_t)threads ? (int)count : threads;
    if (workers <= 1) {
        if (count > 0) {
            body(context, 0, count, 0);
        }
        return;
    }
    const size_t most = (size_t)workers * RANGES;
    const size_t ranges = count < most ? count : most;
#ifdef _OPENMP
#pragma omp parallel for num_threads(workers) schedule(dynamic, 1)
#endif
    for (size_t range = 0; range < ranges; range++) {
#ifdef _OPENMP
        const int thread = omp_get_thread_num();
#else
        const int thread = 0;
#endif
        body(context, count * range / ranges, count * (range + 1) / ranges, thread);
    }
}

/** Whole processors that the cgroup (version 2, then 1) grants, or 0 when nothing limits them. */
static int cgroup_quota(void) {
    double quota = -1;
    double period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file) {
        if (fscanf(file, "%lf %lf", &quota, &period) != 2) {
            quota = -1;
        }
        fclose(file);
    } else {
        file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
        FILE *other = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
        if (!file || !other || fscanf(file, "%lf", &quota) != 1 || fscanf(other, "%lf", &period) != 1) {
            quota = -1;
        }
        if (file) {
            fclose(file);
        }
        if (other) {
            fclose(other);
        }
    }
    if (!(quota > 0 && period > 0)) {
        return 0;
    }
    int whole = (int)(quota / period);
    return whole < 1 ? 1 : whole;
}

/** Hardware threads of one core of the first processor: 1 when the kernel does not tell. */
static int threads_per_core(void) {
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "r");
    int first = 0;
    int second = 0;
    char separator = 0;
    int found = file ? fscanf(file, "%d%c%d", &first, &separator, &second) : 0;
    if (file) {
        fclose(file);
    }
    return found == 3 && (separator == ',' || separator == '-') ? 2 : 1;
}

int pld_available_threads(void) {
    cpu_set_t set;
    int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int per_core = threads_per_core();
    int cores = processors > per_core ? processors / per_core : 1;
    int quota = cgroup_quota();
    return quota > 0 && quota < cores ? quota : cores;
}

int pld_swap_openmp_threads(int threads) {
#ifdef _OPENMP
    int former = omp_get_max_threads();
    omp_set_num_threads(threads);
    return former;
#else
    return threads;
#endif
}
