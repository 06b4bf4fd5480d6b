/* SPDX-License-Identifier: Apache-2.0 */
/** What happens at an attention site: the entries of the table variants[site][branch].
 *
 *  An attention variant is a row of variants.c that says which part of an attention it changes; backends hold what
 * computes it. A run resolves its requests once; model code only ever says "attention". An entry has up to
 * three parts, so that variants compose:
 *
 *      query      what the queries go through first (blur)
 *      rows       what turns a row of logits into weights (softmax, pladis, identity, tempered, gag)
 *      contexts   attention to a second context, and how the two outputs become one (nag)
 *
 *  Where two ask for the same part of an entry, the later of this order stays: softmax, pladis or tempered,
 *  gag, identity.
 */
#ifndef PLD_NN_ATTENTION_VARIANT_H
#define PLD_NN_ATTENTION_VARIANT_H

#include "core/network_effects.h"
#include "nn/plan.h"

typedef struct pld_attention_variant pld_attention_variant;

/** One resolved entry. */
typedef struct pld_attention_choice {
    const pld_attention_variant *rows;
    const pld_attention_variant *query;    /**< or NULL */
    const pld_attention_variant *contexts; /**< or NULL */
    bool skipped;        /**< the block of this site is left out, and the rest has no meaning */
    float lambda, alpha; /**< pladis; λ of tempered; α of gag */
    float temperature;   /**< tempered */
    float sigma;         /**< blur; infinite: the mean */
    float gag_scale, gag_limit;
    float nag_scale, nag_limit, nag_blend;
} pld_attention_choice;

/** Two entries do the same: every member above counts. Branches with equal entries may be computed once
 * (row_groups.h), so one that is left out here gives wrong pictures. */
static inline bool pld_variant_choice_equal(const pld_attention_choice *a, const pld_attention_choice *b) {
    return a->rows == b->rows && a->skipped == b->skipped && a->query == b->query &&
           a->contexts == b->contexts && a->lambda == b->lambda && a->alpha == b->alpha &&
           a->temperature == b->temperature && a->sigma == b->sigma && a->gag_scale == b->gag_scale &&
           a->gag_limit == b->gag_limit && a->nag_scale == b->nag_scale && a->nag_limit == b->nag_limit &&
           a->nag_blend == b->nag_blend;
}

/** What an entry's parts are told apart by where they are computed. */
typedef enum pld_variant_kind {
    PLD_VARIANT_SOFTMAX,
    PLD_VARIANT_PLADIS,
    PLD_VARIANT_TEMPERED,
    PLD_VARIANT_IDENTITY,
    PLD_VARIANT_GAG,
    PLD_VARIANT_BLUR,
    PLD_VARIANT_NAG,
    PLD_VARIANT_KINDS
} pld_variant_kind;

typedef enum pld_variant_part { PLD_VARIANT_ROWS, PLD_VARIANT_QUERY, PLD_VARIANT_CONTEXTS } pld_variant_part;

/** A registry row. */
struct pld_attention_variant {
    pld_variant_kind kind;
    const char *name;        /**< "softmax", "pladis" */
    const char *description; /**< one line with the paper */
    unsigned site_kinds;     /**< sites it may act on: PLD_SITES_SELF, … */
    pld_variant_part part;
    bool needs_spare; /**< more than its output to write to */
    /** Take its numbers from an effect; NULL where it has none. */
    void (*set)(pld_attention_choice *choice, const pld_attention_effect *effect);
};

/** NULL-terminated; softmax first, it is what every site does when nothing is asked. */
extern const pld_attention_variant *const pld_attention_variants[];
extern const pld_attention_variant pld_variant_softmax;
extern const pld_attention_variant pld_variant_pladis;
extern const pld_attention_variant pld_variant_tempered;
extern const pld_attention_variant pld_variant_identity;
extern const pld_attention_variant pld_variant_gag;
extern const pld_attention_variant pld_variant_blur;
extern const pld_attention_variant pld_variant_nag;

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
    const char *site_kinds;  /**< "cross", "self" or "all"; NULL: cross */
    pld_branch_set branches; /**< 0: all */
    double temperature;      /**< above 0: softmax(z / temperature) takes the place of entmax */
} pld_pladis_request;

/** Softmax everywhere. Free with pld_variant_table_free. `sites` is borrowed. */
pld_status pld_variant_table_init(pld_variant_table *table, const pld_site *sites, size_t site_count,
                                  pld_error *error);
void pld_variant_table_free(pld_variant_table *table);

static inline pld_attention_choice *pld_variant_choice(const pld_variant_table *table, size_t site,
                                                       pld_branch branch) {
    return &table->choices[site * PLD_BRANCH_COUNT + (size_t)branch];
}

/** Put PLADIS on the chosen sites (METHOD: w = dense + λ·(sparse − dense), Kim & Sim 2025, eq. 7). λ = 0
 * leaves the table as it is. `sites` gets their number. PLD_ERROR_ARGUMENT when a name matches no such site.
 */
pld_status pld_variant_table_add_pladis(pld_variant_table *table, const pld_pladis_request *request,
                                        int *sites, pld_error *error);

/** Put what a guidance method asks for on the sites that its variant acts on. `method` names it in errors.
 *  PLD_ERROR_ARGUMENT when a layer matches none. `sites` gets their number. */
pld_status pld_variant_table_add_effect(pld_variant_table *table, const pld_attention_effect *effect,
                                        const char *method, int *sites, pld_error *error);

/** Leave the blocks that an effect names out on its branches. `method` names it in errors. */
pld_status pld_variant_table_skip(pld_variant_table *table, const pld_block_effect *effect,
                                  const char *method, pld_error *error);

/** "skipped", "pladis", "identity", "blur+softmax", "nag+pladis" */
void pld_variant_choice_text(const pld_attention_choice *choice, char *text, size_t size);

#endif
