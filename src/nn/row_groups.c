/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/row_groups.h"

#include "core/memory.h"

static bool same_text(pld_branch a, pld_branch b) {
    return pld_branch_text(a) == pld_branch_text(b);
}

/** Two branches that came to a site equal leave it equal, whichever table is in force. */
static bool same_at_site(const pld_row_sharing_request *request, size_t site, pld_branch a, pld_branch b) {
    for (int i = 0; i < PLD_ROW_TABLES; i++) {
        const pld_variant_table *table = request->tables[i];
        if (!pld_variant_choice_equal(pld_variant_choice(table, site, a),
                                      pld_variant_choice(table, site, b)) ||
            ((PLD_SITES_TEXT >> (unsigned)table->sites[site].kind & 1) && !same_text(a, b))) {
            return false;
        }
    }
    return true;
}

/** Two rows are equal after `site`, if the groups before it were `before`; NULL: before any site. */
static bool stay_equal(const pld_row_sharing_request *request, const pld_row_groups *before, size_t site,
                       int first, int second) {
    const pld_branch a = request->branches[first], b = request->branches[second];
    return before ? before->of_row[first] == before->of_row[second] && same_at_site(request, site, a, b)
                  : !request->text_joins_time || same_text(a, b);
}

/** Part the groups of `before` (NULL: all rows are one) where their rows differ at `site`, or, before any
 * site, in what their texts add to the time embedding. */
static pld_row_groups part(const pld_row_sharing_request *request, const pld_row_groups *before,
                           size_t site) {
    pld_row_groups after = {.rows = (int8_t)request->rows};
    for (int row = 0; row < request->rows; row++) {
        int group = 0;
        while (group < after.count && !stay_equal(request, before, site, after.first[group], row)) {
            group++;
        }
        if (group == after.count) {
            after.first[after.count++] = (int8_t)row;
        }
        after.of_row[row] = (int8_t)group;
    }
    return after;
}

pld_status pld_row_sharing_init(pld_row_sharing *sharing, const pld_row_sharing_request *request,
                                pld_error *error) {
    const size_t sites = request->tables[0]->site_count;
    *sharing = (pld_row_sharing){request->rows, sites, pld_allocate(1 + sites, sizeof *sharing->groups)};
    if (!sharing->groups) {
        return pld_fail_memory(error, (1 + sites) * sizeof *sharing->groups, "rows of the denoiser");
    }
    sharing->groups[0] = part(request, NULL, 0);
    for (size_t site = 0; site < sites; site++) {
        sharing->groups[1 + site] = part(request, &sharing->groups[site], site);
    }
    return PLD_OK;
}

void pld_row_sharing_free(pld_row_sharing *sharing) {
    pld_free(sharing->groups);
    *sharing = (pld_row_sharing){0};
}

static bool same_groups(const pld_row_groups *a, const pld_row_groups *b) {
    bool same = a->count == b->count;
    for (int row = 0; same && row < a->rows; row++) {
        same = a->of_row[row] == b->of_row[row];
    }
    return same;
}

bool pld_row_sharing_equal(const pld_row_sharing *a, const pld_row_sharing *b) {
    bool equal = a->rows == b->rows && a->site_count == b->site_count;
    for (size_t i = 0; equal && i <= a->site_count; i++) {
        equal = same_groups(&a->groups[i], &b->groups[i]);
    }
    return equal;
}
