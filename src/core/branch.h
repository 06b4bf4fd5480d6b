/* SPDX-License-Identifier: Apache-2.0 */
/** Branches of guidance: the kinds of rows that one evaluation of the network can hold, in the order in which
 *  they stand there. */
#ifndef PLD_CORE_BRANCH_H
#define PLD_CORE_BRANCH_H

typedef enum pld_branch {
    PLD_BRANCH_UNCONDITIONAL, /**< negative prompt, or none */
    PLD_BRANCH_CONDITIONAL,   /**< prompt */
    PLD_BRANCH_IDENTITY,      /**< prompt, perturbed by identity self-attention (PAG) */
    PLD_BRANCH_BLURRED,       /**< prompt, perturbed by blurred self-attention queries (SEG) */
    PLD_BRANCH_NEGATIVE, /**< negative prompt beside the conditional branch's picture, from which joint attention
                                   turns away (NAG) */
    PLD_BRANCH_SKIPPED, /**< prompt, perturbed by blocks that are left out (skip-layer guidance) */
    PLD_BRANCH_COUNT
} pld_branch;

/** A set of branches: the or of their bits. */
typedef unsigned pld_branch_set;
#define PLD_BRANCH_BIT(branch) (1U << (unsigned)(branch))
#define PLD_BRANCHES_PERTURBED                                                                               \
    (PLD_BRANCH_BIT(PLD_BRANCH_IDENTITY) | PLD_BRANCH_BIT(PLD_BRANCH_BLURRED) |                              \
     PLD_BRANCH_BIT(PLD_BRANCH_SKIPPED))
#define PLD_BRANCHES_PROMPTED (PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | PLD_BRANCHES_PERTURBED)
#define PLD_BRANCHES_ALL      ((1U << (unsigned)PLD_BRANCH_COUNT) - 1U)

/** The branches of a set, in their order; their number. */
static inline int pld_branches_of(pld_branch_set set, pld_branch branches[PLD_BRANCH_COUNT]) {
    int count = 0;
    for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
        if (set & PLD_BRANCH_BIT(branch)) {
            branches[count++] = (pld_branch)branch;
        }
    }
    return count;
}

/** The branch whose text a branch attends to: unconditional or conditional. */
static inline pld_branch pld_branch_text(pld_branch branch) {
    return branch == PLD_BRANCH_UNCONDITIONAL || branch == PLD_BRANCH_NEGATIVE ? PLD_BRANCH_UNCONDITIONAL
                                                                               : PLD_BRANCH_CONDITIONAL;
}

/** The branch whose picture a branch looks at: its own, or the conditional one's. */
static inline pld_branch pld_branch_picture(pld_branch branch) {
    return branch == PLD_BRANCH_NEGATIVE ? PLD_BRANCH_CONDITIONAL : branch;
}

#endif
