/* SPDX-License-Identifier: Apache-2.0 */
#if defined(__linux__)
#define _GNU_SOURCE /* syscall */
#endif
#include "kernels/amx/permission.h"

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Documentation/arch/x86/xstate.rst of the kernel, and the bits of CPUID's leaf 7. */
enum {
    ARCH_REQUEST_PERMISSION = 0x1023,
    TILE_DATA = 18,
    AMX_BF16_BIT = 1 << 22,
    AMX_TILE_BIT = 1 << 24,
    AMX_INT8_BIT = 1 << 25
};

static bool ask(void) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    const unsigned wanted = AMX_BF16_BIT | AMX_TILE_BIT | AMX_INT8_BIT;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & wanted) == wanted &&
           syscall(SYS_arch_prctl, ARCH_REQUEST_PERMISSION, TILE_DATA) == 0;
}

bool pld_cpu_grants_amx(void) {
    enum { UNKNOWN, NO, YES };
    static atomic_int answer; /* every thread would find the same */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = ask() ? YES : NO;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == YES;
}
#else
bool pld_cpu_grants_amx(void) {
    return false;
}
#endif
