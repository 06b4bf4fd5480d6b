/* SPDX-License-Identifier: Apache-2.0 */
/** Rows of an evaluation that are still equal are computed once.
 *
 *  The rows of a denoiser's batch are branches of guidance: the same latents at the same timestep, with
 * another text or another attention. Up to the first site where two of them differ they hold the same
 * numbers, so a value there has one row for both, a *group*. At SD 1.5, with PAG on the mid block:
 *
 *      conv_in … first attn1     one group    {unconditional, conditional, identity}
 *      first attn2 … mid attn1   two          {unconditional} {conditional, identity}
 *      the rest                  three
 *
 *  Nothing is approximated: a row that leaves a group begins with a copy of what the group computed.
 *
 *  A row that leaves a block out (skip-layer guidance) is in no group there, and comes back behind it with what it had in
 *  front of it.
 */
#ifndef PLD_NN_ROW_GROUPS_H
#define PLD_NN_ROW_GROUPS_H

#include "nn/attention_variant.h"

/** How the rows of an evaluation part from each other on their way through a network. */
typedef struct pld_row_sharing {
    int rows;
    size_t site_count;
    pld_row_groups *groups; /**< [1 + site_count]: at the input, then after the attention of each site */
    /** Likewise, of the tokens of the picture where they are a value beside the text's. The negative branch looks at the
     * conditional one's picture, so there these two have one row for as long as joint attention gives both the same. */
    pld_row_groups *picture_groups;
} pld_row_sharing;

enum { PLD_ROW_TABLES = 2 };

/** What decides where rows part. */
typedef struct pld_row_sharing_request {
    const pld_branch *branches; /**< [rows] */
    int rows;                   /**< 1 … PLD_BRANCH_COUNT */
    const pld_variant_table
        *tables[PLD_ROW_TABLES]; /**< every table that the network will run with, of the same sites */
    bool
        text_joins_time; /**< what rows begin with depends on the text, so rows of other texts never are equal
                           */
} pld_row_sharing_request;

/** Free with pld_row_sharing_free, also after a failure. */
pld_status pld_row_sharing_init(pld_row_sharing *sharing, const pld_row_sharing_request *request,
                                pld_error *error);
void pld_row_sharing_free(pld_row_sharing *sharing);
bool pld_row_sharing_equal(const pld_row_sharing *a, const pld_row_sharing *b);

/** Groups of the picture's tokens before the first site (`sites` 0), or from the output of the attention of the last of
 * `sites` sites on. */
static inline pld_row_groups pld_picture_groups_after(const pld_row_sharing *sharing, size_t sites) {
    return sharing ? sharing->picture_groups[sites] : (pld_row_groups){0};
}
/** Groups behind a block of which some rows left it out: those of `after`, and of `before` what is in none of them. */
pld_row_groups pld_row_groups_rejoined(const pld_row_groups *after, const pld_row_groups *before);

/** The groups of `before` without the rows that are in none of `inside`. */
pld_row_groups pld_row_groups_inside(const pld_row_groups *before, const pld_row_groups *inside);

/** Groups at the input (NULL sharing: none). */
static inline pld_row_groups pld_row_groups_at_input(const pld_row_sharing *sharing) {
    return sharing ? sharing->groups[0] : (pld_row_groups){0};
}

/** Groups from the output of a site's attention on. */
static inline pld_row_groups pld_row_groups_after(const pld_row_sharing *sharing, size_t site) {
    return sharing ? sharing->groups[1 + site] : (pld_row_groups){0};
}

#endif
