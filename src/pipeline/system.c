/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
/** What the operating system tells of memory. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "pipeline/engine.h"

/** The number behind `field` and `separator` at the beginning of a line; 0 when it is not there. */
static uint64_t field_of(const char *path, const char *field, char separator, uint64_t unit) {
    FILE *file = fopen(path, "r");
    uint64_t value = 0;
    char line[256];
    const size_t length = strlen(field);
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, length) == 0 && line[length] == separator) {
            const char *number = line + length + 1;
            (void)pld_parse_natural(number + strspn(number, " \t"), UINT64_MAX / unit, &value, NULL);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return value * unit;
}

/** A "Name:   123 kB" line of a file in /proc, in bytes. */
static uint64_t kilobytes_of(const char *path, const char *field) {
    return field_of(path, field, ':', 1024);
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
    static const char folder[] = "/sys/fs/cgroup/memory";
    return pld_available_within(kilobytes_of("/proc/meminfo", "MemAvailable"), folder);
}

/** A container's limit counts what files have left in memory, too, which the system gives up when somebody wants it. */
uint64_t pld_available_within(uint64_t available, const char *group) {
    char path[512];
    pld_print_text(path, sizeof path, "%s.max", group);
    const uint64_t limit = number_in(path, UINT64_MAX);
    pld_print_text(path, sizeof path, "%s.current", group);
    uint64_t used = number_in(path, 0);
    pld_print_text(path, sizeof path, "%s.stat", group);
    const uint64_t files = field_of(path, "inactive_file", ' ', 1) + field_of(path, "active_file", ' ', 1);
    used = used > files ? used - files : 0;
    const uint64_t left = limit > used ? limit - used : 1; /* 0 would mean that it is not known */
    return limit != UINT64_MAX && left < available ? left : available;
}

uint64_t pld_used_memory(void) {
    return kilobytes_of("/proc/self/status", "VmRSS");
}

uint64_t pld_peak_memory(void) {
    return kilobytes_of("/proc/self/status", "VmHWM");
}
