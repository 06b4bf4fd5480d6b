/* SPDX-License-Identifier: Apache-2.0 */
/** Branches of guidance: the kinds of rows that one evaluation of the network can hold. */
#ifndef PLD_CORE_BRANCH_H
#define PLD_CORE_BRANCH_H

typedef enum pld_branch { PLD_BRANCH_UNCONDITIONAL, PLD_BRANCH_CONDITIONAL, PLD_BRANCH_COUNT } pld_branch;

#endif
