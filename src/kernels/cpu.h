/* SPDX-License-Identifier: Apache-2.0 */
/** Facts of a CPU, and what follows from them alone: which instruction sets it runs, and whether bfloat16
 * pays. */
#ifndef PLD_KERNELS_CPU_H
#define PLD_KERNELS_CPU_H

#include "kernels/kernels.h"

/** Each member also says that the operating system saves the registers. */
typedef struct pld_cpu {
    bool intel;
    bool avx2;       /**< AVX2 and FMA */
    bool avx512;     /**< F, DQ, BW and VL */
    bool avx512bf16; /**< AVX512_BF16 */
    bool amx;        /**< AMX_TILE, AMX_BF16 and AMX_INT8, which this process may use */
    bool avxvnni;    /**< AVX_VNNI */
    bool avx512vnni; /**< AVX512_VNNI */
} pld_cpu;

/** The CPU that this runs on. `ask_for_amx`: ask the operating system for AMX, which it grants only to who
 * asks; else `amx` is false. */
pld_cpu pld_cpu_here(bool ask_for_amx);

bool pld_cpu_runs(const pld_cpu *cpu, pld_isa isa);

/** Products of bfloat16 are faster than those of float32 in this set on this CPU. Measured on Intel's (model
 *  207): vdpbf16ps starts every second cycle, which is half the multiplications a second of float32, and they
 *  have AMX for it. Other CPUs with AVX512_BF16 are taken to be faster at it, as their makers say. */
bool pld_cpu_prefers_bf16(const pld_cpu *cpu, pld_isa isa);

#endif
