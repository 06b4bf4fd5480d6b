/* SPDX-License-Identifier: Apache-2.0 */
/** What happens at an attention site: the entries of the table variants[site][branch].
 *
 *  An attention variant is a row of the registry: a const struct that turns its parameters into the row
 * normaliser that the kernels run. A run resolves its requests once; model code only ever says "attention".
 */
#ifndef PLD_NN_ATTENTION_VARIANT_H
#define PLD_NN_ATTENTION_VARIANT_H

#include "core/branch.h"
#include "nn/plan.h"
#include "pladis/attention.h"

/** One resolved entry: the arguments of the row normaliser. */
typedef struct pld_attention_choice {
    const struct pld_attention_variant *variant;
    pld_attention_rows rows;
    float lambda, alpha;
} pld_attention_choice;

/** A registry row. */
typedef struct pld_attention_variant {
    const char *name;        /**< "softmax", "pladis" */
    const char *description; /**< one line with the paper */
    const char *site_kinds;  /**< sites it may act on: "self,cross" or "cross" */
} pld_attention_variant;

/** NULL-terminated; softmax first, it is what every site does when nothing is asked. */
extern const pld_attention_variant *const pld_attention_variants[];
extern const pld_attention_variant pld_variant_softmax;
extern const pld_attention_variant pld_variant_pladis;

/** The table of one run: choices[site · PLD_BRANCH_COUNT + branch]. */
typedef struct pld_variant_table {
    pld_attention_choice *choices;
    const pld_site *sites;
    size_t site_count;
} pld_variant_table;

/** PLADIS as the user asked for it. */
typedef struct pld_pladis_request {
    double lambda, alpha;
    const char
        *blocks; /**< "all", or a comma list of block kinds (down, mid, up) and site names cut at a dot */
} pld_pladis_request;

/** Softmax everywhere. Free with pld_variant_table_free. `sites` is borrowed. */
pld_status pld_variant_table_init(pld_variant_table *table, const pld_site *sites, size_t site_count,
                                  pld_error *error);
void pld_variant_table_free(pld_variant_table *table);

/** Put PLADIS on the chosen cross sites of all branches (METHOD: w = dense + λ·(sparse − dense), Kim & Sim
 * 2025, eq. 7). λ = 0 leaves the table as it is. PLD_ERROR_ARGUMENT when a name matches no cross site. */
pld_status pld_variant_table_add_pladis(pld_variant_table *table, const pld_pladis_request *request,
                                        int *sites, pld_error *error);

/** True when `name` (`length` bytes) selects the site: "down", "mid", "up", or a prefix that ends at a dot.
 */
bool pld_site_matches(const pld_site *site, const char *name, size_t length);

#endif
