/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "kernels/amx/permission.h"

#if defined(__x86_64__)
/** Not every compiler knows the name of AVX_VNNI, which is a bit of leaf 7, subleaf 1. */
static bool has_avxvnni(void) {
    enum { LEAF = 7, SUBLEAF = 1, AVXVNNI_BIT = 4 };
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(LEAF, SUBLEAF, &a, &b, &c, &d) && (a >> AVXVNNI_BIT & 1);
}
#endif

pld_cpu pld_cpu_here(bool ask_for_amx) {
#if defined(__x86_64__)
    /* These checks cover what the operating system saves, too. */
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return (pld_cpu){.intel = __builtin_cpu_is("intel"),
                     .avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                     .avx512 = avx512,
                     .avx512bf16 = __builtin_cpu_supports("avx512bf16"),
                     .amx = ask_for_amx && pld_cpu_grants_amx(),
                     .avxvnni = has_avxvnni(),
                     .avx512vnni = __builtin_cpu_supports("avx512vnni")};
#else
    (void)ask_for_amx;
    return (pld_cpu){0};
#endif
}

bool pld_cpu_runs(const pld_cpu *cpu, pld_isa isa) {
    /* A set's code also uses the sets before it. */
    const bool avx512 = cpu->avx2 && cpu->avx512, vnni = avx512 && cpu->avx512vnni;
    switch (isa) {
    case PLD_ISA_SCALAR:
        return true;
    case PLD_ISA_AVX2:
        return cpu->avx2;
    case PLD_ISA_AVXVNNI:
        return cpu->avx2 && cpu->avxvnni;
    case PLD_ISA_AVX512:
        return avx512;
    case PLD_ISA_AVX512VNNI:
        return vnni;
    case PLD_ISA_AVX512BF16: /* every CPU that has it has AVX512_VNNI, too */
        return vnni && cpu->avx512bf16;
    case PLD_ISA_AMX:
        return vnni && cpu->avx512bf16 && cpu->amx;
    case PLD_ISA_COUNT:
        break;
    }
    return false;
}

bool pld_cpu_prefers_bf16(const pld_cpu *cpu, pld_isa isa) {
    return isa == PLD_ISA_AMX || (isa == PLD_ISA_AVX512BF16 && !cpu->intel);
}
