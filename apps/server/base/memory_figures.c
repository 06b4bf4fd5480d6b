/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory_figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What the line of a system file says that begins with `name`, in bytes. */
static uint64_t figure(const char *path, const char *name) {
    char line[256];
    uint64_t value = 0;
    FILE *file = fopen(path, "r");
    while (file != NULL && value == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            value = (uint64_t)strtoull(line + strlen(name), NULL, 10) * 1024;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return value;
}

memory_figures memory_figures_now(void) {
    return (memory_figures){.resident = figure("/proc/self/status", "VmRSS:"),
                            .peak = figure("/proc/self/status", "VmHWM:"),
                            .available = figure("/proc/meminfo", "MemAvailable:"),
                            .total = figure("/proc/meminfo", "MemTotal:")};
}
