/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"

#if defined(__linux__)
#define _GNU_SOURCE
#include <sys/mman.h>
#endif

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/text.h"

static _Thread_local long failure_countdown = -1;

void pld_inject_allocation_failure(long countdown) {
    failure_countdown = countdown;
}

static bool refused(void) {
    return failure_countdown >= 0 && failure_countdown-- == 0;
}

void *pld_allocate(size_t count, size_t size) {
    size_t bytes = 0;
    if (refused() || !pld_multiply(count, size, &bytes)) {
        return NULL;
    }
    return calloc(1, bytes ? bytes : 1);
}

/* Weights and buffers of a network fill gigabytes: small pages would cost a fault for every 4 KiB when they
 * are written first, and a miss of the address cache for every row of a matrix afterwards. */
enum { HUGE_PAGE = 2 << 20, WORTH_HUGE_PAGES = 4 << 20 };

static void *allocate_large(size_t bytes) {
    void *memory = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
#if defined(__linux__)
    if (memory) {
        (void)madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE,
                      MADV_HUGEPAGE); /* advice: refusal does no harm */
    }
#endif
    return memory;
}

void *pld_allocate_aligned(size_t count, size_t size) {
    size_t bytes = 0;
    if (refused() || !pld_multiply(count, size, &bytes) || bytes > SIZE_MAX - HUGE_PAGE) {
        return NULL;
    }
    if (bytes >= WORTH_HUGE_PAGES) {
        return allocate_large(bytes);
    }
    return aligned_alloc(PLD_ALIGNMENT, bytes / PLD_ALIGNMENT * PLD_ALIGNMENT + PLD_ALIGNMENT);
}

bool pld_grow(void **items, size_t *capacity, size_t wanted, size_t size) {
    if (wanted <= *capacity) {
        return true;
    }
    size_t next = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    next = next < wanted ? wanted : next;
    size_t bytes = 0;
    if (refused() || !pld_multiply(next, size, &bytes)) {
        return false;
    }
    void *grown = realloc(*items, bytes);
    if (!grown) {
        return false;
    }
    memset((char *)grown + *capacity * size, 0, (next - *capacity) * size);
    *items = grown;
    *capacity = next;
    return true;
}

char *pld_copy_bytes(const char *text, size_t length) {
    char *copy = length < (size_t)-1 ? pld_allocate(length + 1, 1) : NULL;
    if (copy && length) {
        memcpy(copy, text, length);
    }
    return copy;
}

char *pld_copy_string(const char *text) {
    return pld_copy_bytes(text, strlen(text));
}

char *pld_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = pld_print_arguments(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : pld_allocate((size_t)length + 1, 1);
    if (text) {
        va_start(arguments, format);
        pld_print_arguments(text, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    return text;
}

void pld_free(void *memory) {
    free(memory);
}

void pld_give_memory_back(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
