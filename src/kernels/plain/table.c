/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the instruction set that this file is compiled for. */
#include "kernels/table.h"

#define PLD_TABLE_NAME_OF(isa) PLD_JOIN4(pld_, kernels, _, isa)
#define PLD_TABLE_NAME(isa)    PLD_TABLE_NAME_OF(isa)

const pld_kernels PLD_TABLE_NAME(PLD_ISA_SYMBOL) = {.isa = PLD_ISA_NUMBER,
#define PLD_COMMON_ENTRY(type, name, arguments) .name = PLD_COMMON_KERNEL(name),
#define PLD_INT8_ENTRY(type, name, arguments)   .name = PLD_KERNEL(name),
                                                    PLD_COMMON_KERNEL_LIST(PLD_COMMON_ENTRY)
                                                        PLD_INT8_KERNEL_LIST(PLD_INT8_ENTRY)
#undef PLD_COMMON_ENTRY
#undef PLD_INT8_ENTRY
};
