/* SPDX-License-Identifier: Apache-2.0 */
/** The library's only door to the heap: checked sizes, zeroed memory, one place for failure injection. */
#ifndef PLD_CORE_MEMORY_H
#define PLD_CORE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum { PLD_ALIGNMENT = 64 }; /* a cache line and the widest vector register */

/** *out = a * b; false when it does not fit. */
static inline bool pld_multiply(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}

/** *out = a + b; false when it does not fit. */
static inline bool pld_add(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

/** `count` zeroed elements of `size` bytes; NULL when the product overflows or memory is out. At least 1
 * byte. */
void *pld_allocate(size_t count, size_t size);

/** As pld_allocate, contents not set, aligned to PLD_ALIGNMENT: for tensors. Freed with pld_free. */
void *pld_allocate_aligned(size_t count, size_t size);

/** Grow `*items` (elements of `size` bytes, `*capacity` of them) to hold at least
 * `wanted`. False: unchanged. */
bool pld_grow(void **items, size_t *capacity, size_t wanted, size_t size);

/** A copy of a string, or of its first `length` bytes; NULL when memory is out. */
char *pld_copy_string(const char *text);
char *pld_copy_bytes(const char *text, size_t length);

/** pld_print_text into new memory; NULL when memory is out. */
char *pld_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

void pld_free(void *memory);

/** Give freed memory back to the system, which may keep it for the process otherwise. Takes milliseconds. */
void pld_give_memory_back(void);

/** Tests only: the allocation after `countdown` more ones fails (negative: never). Per thread. */
void pld_inject_allocation_failure(long countdown);

#endif
