/* SPDX-License-Identifier: Apache-2.0 */
/** What a guidance method changes inside the network. Methods (src/sampling/) say it, the pipeline hands it
 *  to the network (src/nn/); neither floor knows the other. */
#ifndef PLD_CORE_NETWORK_EFFECTS_H
#define PLD_CORE_NETWORK_EFFECTS_H

#include "core/branch.h"

/** An attention variant to put on sites. Numbers that the variant does not have are ignored. */
typedef struct pld_attention_effect {
    const char *variant;     /**< name in pld_attention_variants */
    const char *layers;      /**< "mid+up_blocks.1": block kinds or site names, cut at a dot; "all" */
    pld_branch_set branches; /**< where it acts */
    double scale, limit, blend, alpha, sigma;
    pld_branch_set joint_branches; /**< where it acts in joint attention; 0: on `branches`, as elsewhere */
} pld_attention_effect;

/** Blocks that some branches leave out: what goes into one comes out of it as it is. */
typedef struct pld_block_effect {
    const char *layers;      /**< as above; a block is meant by any of its sites */
    pld_branch_set branches; /**< which leave it out */
} pld_block_effect;

/** FreeU's factors, by up block 0 and 1: half of the backbone's channels, low frequencies of the skip. */
typedef struct pld_block_scales {
    float backbone[2], skip[2];
} pld_block_scales;

#endif
