/* SPDX-License-Identifier: Apache-2.0 */
/** Which attentions a list of names means: what --pladis-blocks, the layers of guidance and of attention maps say. */
#ifndef PLD_NN_SITE_CHOICE_H
#define PLD_NN_SITE_CHOICE_H

#include "nn/plan.h"

typedef struct pld_site_choice {
    /** Joined by `separator`: "all"; kinds of blocks of a U-Net (down, mid, up); numbers of blocks of a transformer, or
     * ranges of them ("0-9"); names of sites or what they begin with up to a dot. */
    const char *names;
    char separator[2];
    unsigned kinds;     /**< PLD_SITES_SELF, …: only such */
    const char *option; /**< how messages begin: "pladis-blocks" */
} pld_site_choice;

/** Set chosen[i] for every site that is meant, and leave the others. PLD_ERROR_ARGUMENT names the first name that means
 * none. */
pld_status pld_sites_choose(const pld_site *sites, size_t count, const pld_site_choice *choice, bool *chosen,
                            pld_error *error);

#endif
