/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/** What the operating system tells of memory. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "pipeline/engine.h"

/** A "Name:   123 kB" line of a file in /proc, in bytes; 0 when it is not there. */
static uint64_t kilobytes_of(const char *path, const char *field) {
    FILE *file = fopen(path, "r");
    uint64_t kilobytes = 0;
    char line[256];
    size_t length = strlen(field);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, length) == 0 && line[length] == ':') {
            const char *number = line + length + 1;
            (void)pld_parse_natural(number + strspn(number, " \t"), UINT64_MAX / 1024, &kilobytes, NULL);
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
    char line[64];
    if (file) {
        if (fgets(line, sizeof line, file)) {
            (void)pld_parse_natural(line, UINT64_MAX, &value, NULL);
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

uint64_t pld_used_memory(void) {
    return kilobytes_of("/proc/self/status", "VmRSS");
}

uint64_t pld_peak_memory(void) {
    return kilobytes_of("/proc/self/status", "VmHWM");
}
