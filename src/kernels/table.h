/* SPDX-License-Identifier: Apache-2.0 */
/** Names and tables of the kernels of one instruction set. The same source is compiled once for each set,
 * with PLD_ISA_SYMBOL naming it: PLD_KERNEL(silu) is pld_scalar_silu, pld_avx2_silu, … */
#ifndef PLD_KERNELS_TABLE_H
#define PLD_KERNELS_TABLE_H

#include "kernels/kernels.h"

#define PLD_ISA_TABLE(enumerator, symbol, text) extern const pld_kernels pld_kernels_##symbol;
PLD_ISA_LIST(PLD_ISA_TABLE)
#undef PLD_ISA_TABLE

#ifdef PLD_ISA_SYMBOL
#define PLD_JOIN4(a, b, c, d)      a##b##c##d
#define PLD_KERNEL_NAME(isa, name) PLD_JOIN4(pld_, isa, _, name)
#define PLD_KERNEL(name)           PLD_KERNEL_NAME(PLD_ISA_SYMBOL, name)
#ifndef PLD_COMMON_ISA_SYMBOL /* of a set that differs in products of 8-bit integers alone: whose the other kernels are */
#define PLD_COMMON_ISA_SYMBOL PLD_ISA_SYMBOL
#endif
#define PLD_COMMON_KERNEL(name)                          PLD_KERNEL_NAME(PLD_COMMON_ISA_SYMBOL, name)
#define PLD_KERNEL_DECLARE(type, name, arguments)        type PLD_KERNEL(name) arguments;
#define PLD_COMMON_KERNEL_DECLARE(type, name, arguments) type PLD_COMMON_KERNEL(name) arguments;
PLD_COMMON_KERNEL_LIST(PLD_COMMON_KERNEL_DECLARE)
PLD_INT8_KERNEL_LIST(PLD_KERNEL_DECLARE)
#undef PLD_KERNEL_DECLARE
#undef PLD_COMMON_KERNEL_DECLARE
#endif

#endif
