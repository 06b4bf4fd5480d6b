/* SPDX-License-Identifier: Apache-2.0 */
/** The inside of pld_engine. */
#ifndef PLD_PIPELINE_ENGINE_H
#define PLD_PIPELINE_ENGINE_H

#include "backends/executor.h"
#include "core/log.h"
#include "kernels/kernels.h"
#include "pladis/pladis.h"

struct pld_engine {
    int threads;
    const pld_kernels
        *kernels;       /* of what the host computes itself: conversions of files, maps of attention */
    pld_device *device; /* on which networks run */
    pld_product_settings settings;
    uint64_t max_memory; /* bytes that the process is to stay within; 0: what there is */
    pld_log log;
};

/** Bytes that this process could still get: MemAvailable and the cgroup's limit; 0 when that cannot be told. */
uint64_t pld_available_memory(void);

/** The same of a system with so many bytes free whose control group has the files `group`.max, .current and .stat. */
uint64_t pld_available_within(uint64_t available, const char *group);

/** Bytes of this process that are in memory (VmRSS), 0 when it cannot be told. */
uint64_t pld_used_memory(void);

/** High-water mark of the process (VmHWM), 0 when it cannot be told. */
uint64_t pld_peak_memory(void);

#endif
