/* SPDX-License-Identifier: Apache-2.0 */
/* Registry of instruction sets and choice of a kernel table. */
#include "kernels/kernels.h"

#include <string.h>

#include "kernels/cpu.h"
#include "kernels/table.h"

/* NULL: not part of this build. */
static const pld_kernels *const tables[PLD_ISA_COUNT] = {
    [PLD_ISA_SCALAR] = &pld_kernels_scalar,
#ifdef PLD_HAVE_AVX2
    [PLD_ISA_AVX2] = &pld_kernels_avx2,
#endif
#ifdef PLD_HAVE_AVXVNNI
    [PLD_ISA_AVXVNNI] = &pld_kernels_avxvnni,
#endif
#ifdef PLD_HAVE_AVX512
    [PLD_ISA_AVX512] = &pld_kernels_avx512,
#endif
#ifdef PLD_HAVE_AVX512VNNI
    [PLD_ISA_AVX512VNNI] = &pld_kernels_avx512vnni,
#endif
#ifdef PLD_HAVE_AVX512BF16
    [PLD_ISA_AVX512BF16] = &pld_kernels_avx512bf16,
#endif
#ifdef PLD_HAVE_AMX
    [PLD_ISA_AMX] = &pld_kernels_amx,
#endif
};

const char *pld_isa_name(pld_isa isa) {
    switch (isa) {
#define PLD_ISA_CASE(enumerator, symbol, text)                                                               \
    case enumerator:                                                                                         \
        return text;
        PLD_ISA_LIST(PLD_ISA_CASE)
#undef PLD_ISA_CASE
    case PLD_ISA_COUNT:
        break;
    }
    return "unknown";
}

pld_isa pld_isa_from_name(const char *name) {
    for (int isa = 0; isa < PLD_ISA_COUNT; isa++) {
        if (strcmp(name, pld_isa_name((pld_isa)isa)) == 0) {
            return (pld_isa)isa;
        }
    }
    return PLD_ISA_COUNT;
}

bool pld_isa_supported(pld_isa isa) {
    if (isa < 0 || isa >= PLD_ISA_COUNT || !tables[isa]) {
        return false;
    }
    const pld_cpu cpu = pld_cpu_here(isa == PLD_ISA_AMX);
    return pld_cpu_runs(&cpu, isa);
}

bool pld_isa_has_bf16(pld_isa isa) {
    return isa >= PLD_ISA_AVX512BF16 && isa < PLD_ISA_COUNT;
}

bool pld_isa_prefers_bf16(pld_isa isa) {
    const pld_cpu cpu = pld_cpu_here(false);
    return pld_cpu_prefers_bf16(&cpu, isa);
}

bool pld_isa_prefers_split(pld_isa isa) {
    return isa == PLD_ISA_AMX;
}

const pld_kernels *pld_kernels_get(pld_isa cap) {
    for (int isa = (int)(cap < PLD_ISA_COUNT ? cap : PLD_ISA_BEST); isa > PLD_ISA_SCALAR; isa--) {
        if (pld_isa_supported((pld_isa)isa)) {
            return tables[isa];
        }
    }
    return &pld_kernels_scalar;
}

/** X(what comes behind PLD_DTYPE_, kernel) of the types that are not float32 already. */
#define WIDENING_LIST(X)                                                                                     \
    X(F16, f16_to_f32)                                                                                       \
    X(BF16, bf16_to_f32)                                                                                     \
    X(F64, f64_to_f32)                                                                                       \
    X(F8_E4M3, f8_e4m3_to_f32)                                                                               \
    X(F8_E5M2, f8_e5m2_to_f32)                                                                               \
    X(I8, i8_to_f32)                                                                                         \
    X(Q8_0, q8_0_to_f32)                                                                                     \
    X(Q4_0, q4_0_to_f32)                                                                                     \
    X(Q4_1, q4_1_to_f32)                                                                                     \
    X(Q5_0, q5_0_to_f32)                                                                                     \
    X(Q5_1, q5_1_to_f32)                                                                                     \
    X(Q2_K, q2_k_to_f32)                                                                                     \
    X(Q3_K, q3_k_to_f32)                                                                                     \
    X(Q4_K, q4_k_to_f32)                                                                                     \
    X(Q5_K, q5_k_to_f32)                                                                                     \
    X(Q6_K, q6_k_to_f32)                                                                                     \
    X(IQ4_NL, iq4_nl_to_f32)

/** Those from float32. */
#define NARROWING_LIST(X)                                                                                    \
    X(F16, f32_to_f16)                                                                                       \
    X(BF16, f32_to_bf16)                                                                                     \
    X(Q8_0, f32_to_q8_0)                                                                                     \
    X(Q4_0, f32_to_q4_0)                                                                                     \
    X(Q4_K, f32_to_q4_k)                                                                                     \
    X(Q5_K, f32_to_q5_k)                                                                                     \
    X(Q6_K, f32_to_q6_k)

void pld_convert_to_f32(const pld_kernels *k, pld_dtype dtype, const void *stored, size_t count, float *out) {
    void (*widen)(const void *, size_t, float *) = NULL;
#define WIDENING(type, kernel) widen = dtype == PLD_DTYPE_##type ? k->kernel : widen;
    WIDENING_LIST(WIDENING)
#undef WIDENING
    if (widen) {
        widen(stored, count, out);
    } else {
        memcpy(out, stored, count * sizeof *out);
    }
}

bool pld_convert_from_f32(const pld_kernels *k, pld_dtype dtype, const float *values, size_t count,
                          void *out) {
    void (*narrow)(const float *, size_t, void *) = NULL;
#define NARROWING(type, kernel) narrow = dtype == PLD_DTYPE_##type ? k->kernel : narrow;
    NARROWING_LIST(NARROWING)
#undef NARROWING
    if (narrow) {
        narrow(values, count, out);
    } else if (dtype == PLD_DTYPE_F32) {
        memcpy(out, values, count * sizeof *values);
    }
    return narrow || dtype == PLD_DTYPE_F32;
}
