/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/row_groups.h"

#include "core/memory.h"

static bool same_text(pld_branch a, pld_branch b) {
    return pld_branch_text(a) == pld_branch_text(b);
}

/** The pictures of two branches begin with the same tokens, under the same time embedding. */
static bool pictures_begin_equal(const pld_row_sharing_request *request, pld_branch a, pld_branch b) {
    return !request->text_joins_time || same_text(pld_branch_picture(a), pld_branch_picture(b));
}

/** So do the tokens of their texts, too. */
static bool begin_equal(const pld_row_sharing_request *request, pld_branch a, pld_branch b) {
    return pictures_begin_equal(request, a, b) && (!request->text_joins_time || same_text(a, b));
}

/** Two branches that came to a site equal leave it equal. */
static bool leave_equal(const pld_variant_table *table, size_t site, pld_branch a, pld_branch b) {
    const bool reads_text = PLD_SITES_TEXT >> (unsigned)table->sites[site].kind & 1;
    return pld_variant_choice_equal(pld_variant_choice(table, site, a), pld_variant_choice(table, site, b)) &&
           (!reads_text || same_text(a, b));
}

/** At a joint attention a second context makes one picture of what both texts give. */
static bool pictures_leave_equal(const pld_variant_table *table, size_t site, pld_branch a, pld_branch b) {
    const pld_attention_choice *of_a = pld_variant_choice(table, site, a);
    const bool joined = table->sites[site].kind == PLD_SITE_JOINT && of_a->contexts &&
                        pld_branch_picture(a) == pld_branch_picture(b);
    return leave_equal(table, site, a, b) ||
           (joined && pld_variant_choice_equal(of_a, pld_variant_choice(table, site, b)));
}

/** When the tokens of two branches are equal: at the input, and after a site to which they came equal. */
typedef struct equality {
    bool (*begin)(const pld_row_sharing_request *request, pld_branch a, pld_branch b);
    bool (*leave)(const pld_variant_table *table, size_t site, pld_branch a, pld_branch b);
} equality;
static const equality of_tokens = {begin_equal, leave_equal};
static const equality of_pictures = {pictures_begin_equal, pictures_leave_equal};

/** Two rows are equal after `site`, whichever table is in force, if the groups before it were `before`; NULL: before any
 * site. */
static bool stay_equal(const pld_row_sharing_request *request, const pld_row_groups *before, size_t site,
                       const equality *equal, int first, int second) {
    const pld_branch a = request->branches[first], b = request->branches[second];
    if (!before) {
        return equal->begin(request, a, b);
    }
    bool same = before->of_row[first] == before->of_row[second];
    for (int i = 0; same && i < PLD_ROW_TABLES; i++) {
        same = equal->leave(request->tables[i], site, a, b);
    }
    return same;
}

/** Put a row into the group of one that came before it, or, where `like` is below 0, into one of its own. */
static void add_row(pld_row_groups *groups, int row, int like) {
    if (like >= 0) {
        groups->of_row[row] = groups->of_row[like];
    } else {
        groups->first[groups->count] = (int8_t)row;
        groups->of_row[row] = groups->count++;
    }
}

/** The first row before `row` that is in one group with it; −1: there is none. */
static int companion(const pld_row_groups *groups, int row) {
    for (int other = 0; other < row; other++) {
        if (groups->of_row[other] == groups->of_row[row]) {
            return other;
        }
    }
    return -1;
}

/** Part the groups of `before` (NULL: all rows are one) where their rows differ at `site`, or, before any
 * site, in what their texts add to the time embedding. A row that is in none stays so. */
static pld_row_groups part(const pld_row_sharing_request *request, const pld_row_groups *before, size_t site,
                           const equality *equal) {
    pld_row_groups after = {.rows = (int8_t)request->rows};
    for (int row = 0; row < request->rows; row++) {
        int group = 0;
        if (before && before->of_row[row] < 0) {
            after.of_row[row] = -1;
            continue;
        }
        while (group < after.count && !stay_equal(request, before, site, equal, after.first[group], row)) {
            group++;
        }
        add_row(&after, row, group < after.count ? after.first[group] : -1);
    }
    return after;
}

/** Whether a branch leaves the block of a site out. */
static bool is_skipped(const pld_row_sharing_request *request, size_t site, pld_branch branch) {
    bool skipped = false;
    for (int i = 0; i < PLD_ROW_TABLES; i++) {
        skipped = skipped || pld_variant_choice(request->tables[i], site, branch)->skipped;
    }
    return skipped;
}

/** Without the rows that leave the block of a site out. */
static pld_row_groups leave(const pld_row_sharing_request *request, const pld_row_groups *before,
                            size_t site) {
    pld_row_groups inside = *before;
    for (int row = 0; row < PLD_BRANCH_COUNT && row < before->rows; row++) {
        if (is_skipped(request, site, request->branches[row])) {
            inside.of_row[row] = -1;
        }
    }
    return pld_row_groups_inside(before, &inside);
}

pld_row_groups pld_row_groups_inside(const pld_row_groups *before, const pld_row_groups *inside) {
    pld_row_groups numbers = {.rows = before->rows}, left = numbers;
    for (int row = 0; row < before->rows; row++) {
        numbers.of_row[row] = left.of_row[row] = -1;
        if (inside->of_row[row] >= 0) {
            numbers.of_row[row] = left.of_row[row] = before->of_row[row];
        }
    }
    for (int row = 0; row < before->rows; row++) {
        if (numbers.of_row[row] >= 0) {
            add_row(&left, row, companion(&numbers, row));
        }
    }
    return left;
}

pld_row_groups pld_row_groups_rejoined(const pld_row_groups *after, const pld_row_groups *before) {
    pld_row_groups left = {.rows = after->rows}, all = *after;
    for (int row = 0; row < after->rows; row++) {
        left.of_row[row] = -1;
        if (after->of_row[row] < 0) {
            left.of_row[row] = before->of_row[row];
        }
    }
    for (int row = 0; row < after->rows; row++) {
        if (left.of_row[row] >= 0) {
            add_row(&all, row, companion(&left, row));
        }
    }
    return all;
}

/** The groups of some tokens at the input and after each site, [1 + sites]. */
static void follow(const pld_row_sharing_request *request, const equality *equal, pld_row_groups *groups) {
    const pld_variant_table *table = request->tables[0];
    pld_row_groups now = part(request, NULL, 0, equal), in_front = now; /* of the block */
    groups[0] = now;
    for (size_t site = 0; site < table->site_count; site++) {
        if (site == 0 || table->sites[site].block != table->sites[site - 1].block) {
            in_front = now = pld_row_groups_rejoined(&now, &in_front);
            now = leave(request, &now, site);
        }
        now = part(request, &now, site, equal);
        groups[1 + site] = now;
    }
}

pld_status pld_row_sharing_init(pld_row_sharing *sharing, const pld_row_sharing_request *request,
                                pld_error *error) {
    const size_t sites = request->tables[0]->site_count;
    pld_row_groups *groups = pld_allocate(2 * (1 + sites), sizeof *groups);
    *sharing = (pld_row_sharing){.rows = request->rows, .site_count = sites, .groups = groups};
    if (!groups) {
        return pld_fail_memory(error, 2 * (1 + sites) * sizeof *groups, "rows of the denoiser");
    }
    sharing->picture_groups = groups + 1 + sites;
    follow(request, &of_tokens, sharing->groups);
    follow(request, &of_pictures, sharing->picture_groups);
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
        equal = same_groups(&a->groups[i], &b->groups[i]) &&
                same_groups(&a->picture_groups[i], &b->picture_groups[i]);
    }
    return equal;
}
