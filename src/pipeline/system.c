/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/** What the operating system tells of memory. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/internal.h"

/** A "Name:   123 kB" line of a file in /proc, in bytes; 0 when it is not there. */
static uint64_t kilobytes_of(const char *path, const char *field) {
    FILE *file = fopen(path, "r");
    uint64_t kilobytes = 0;
    char line[256];
    size_t length = strlen(field);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, length) == 0 && line[length] == ':') {
            sscanf(line + length + 1, "%" SCNu64, &kilobytes);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return kilobytes * 1024;
}

/** A file that holds one number; `none` when it is missing or says "max". */
static uint64_t number_in(const char *path, uint64_t none) {
    FILE *file = fopen(path, "r");
    uint64_t value = none;
    if (file) {
        if (fscanf(file, "%" SCNu64, &value) != 1) {
            value = none;
        }
        fclose(file);
    }
    return value;
}

uint64_t pld_available_memory(void) {
    uint64_t available = kilobytes_of("/proc/meminfo", "MemAvailable");
    uint64_t limit = number_in("/sys/fs/cgroup/memory.max", UINT64_MAX);
    uint64_t used = number_in("/sys/fs/cgroup/memory.current", 0);
    if (limit != UINT64_MAX && limit > used && limit - used < available) {
        return limit - used;
    }
    return available;
}

uint64_t pld_peak_memory(void) {
    return kilobytes_of("/proc/self/status", "VmHWM");
}
