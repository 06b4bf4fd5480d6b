/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/attention_variant.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "nn/site_choice.h"

pld_status pld_variant_table_init(pld_variant_table *table, const pld_site *sites, size_t site_count,
                                  pld_error *error) {
    size_t count = site_count * PLD_BRANCH_COUNT;
    *table = (pld_variant_table){pld_allocate(count, sizeof *table->choices), sites, site_count};
    if (!table->choices) {
        return pld_fail_memory(error, count * sizeof *table->choices, "attention variants");
    }
    for (size_t i = 0; i < count; i++) {
        table->choices[i] = (pld_attention_choice){.rows = &pld_variant_softmax, .alpha = 1.5F};
    }
    return PLD_OK;
}

void pld_variant_table_free(pld_variant_table *table) {
    pld_free(table->choices);
    *table = (pld_variant_table){0};
}

/** Call `put` with the entry of every chosen site and branch, of joint attentions those of `joint_branches`; the number of
 * sites. */
static pld_status put_on_sites(pld_variant_table *table, const pld_site_choice *choice,
                               pld_branch_set branches, pld_branch_set joint_branches,
                               void (*put)(pld_attention_choice *choice, const void *what), const void *what,
                               int *sites, pld_error *error) {
    *sites = 0;
    bool *chosen = pld_allocate(table->site_count, sizeof *chosen);
    if (!chosen) {
        return pld_fail_memory(error, table->site_count, "attention variants");
    }
    pld_status status = pld_sites_choose(table->sites, table->site_count, choice, chosen, error);
    for (size_t i = 0; status == PLD_OK && i < table->site_count; i++) {
        for (int branch = 0; chosen[i] && branch < PLD_BRANCH_COUNT; branch++) {
            const bool joint = table->sites[i].kind == PLD_SITE_JOINT;
            if ((joint ? joint_branches : branches) & PLD_BRANCH_BIT(branch)) {
                put(pld_variant_choice(table, i, (pld_branch)branch), what);
            }
        }
        *sites += chosen[i];
    }
    pld_free(chosen);
    return status;
}

static void put_pladis(pld_attention_choice *choice, const void *what) {
    const pld_pladis_request *request = what;
    choice->rows = request->temperature > 0 ? &pld_variant_tempered : &pld_variant_pladis;
    choice->lambda = (float)request->lambda;
    choice->alpha = (float)request->alpha;
    choice->temperature = (float)request->temperature;
}

pld_status pld_variant_table_add_pladis(pld_variant_table *table, const pld_pladis_request *request,
                                        int *sites, pld_error *error) {
    const char *kinds = request->site_kinds ? request->site_kinds : "cross";
    *sites = 0;
    pld_site_choice selection = {request->blocks, ",", 0, "pladis-blocks"};
    if (strcmp(kinds, "self") == 0 && strcmp(request->blocks, "all") == 0) {
        selection.option = "pladis-sites self";
    }
    selection.kinds = strcmp(kinds, "cross") == 0  ? PLD_SITES_TEXT
                      : strcmp(kinds, "self") == 0 ? PLD_SITES_SELF
                      : strcmp(kinds, "all") == 0  ? PLD_SITES_ALL
                                                   : 0;
    if (!selection.kinds) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "pladis-sites: expected cross, self or all, found '%.60s'",
                        kinds);
    }
    const pld_branch_set branches = request->branches ? request->branches : PLD_BRANCHES_ALL;
    return request->lambda == 0
               ? PLD_OK
               : put_on_sites(table, &selection, branches, branches, put_pladis, request, sites, error);
}

static const pld_attention_variant *find_variant(const char *name) {
    for (const pld_attention_variant *const *row = pld_attention_variants; *row; row++) {
        if (strcmp((*row)->name, name) == 0) {
            return *row;
        }
    }
    return NULL;
}

static void put_effect(pld_attention_choice *choice, const void *what) {
    const pld_attention_effect *effect = what;
    const pld_attention_variant *variant = find_variant(effect->variant);
    switch (variant->part) {
    case PLD_VARIANT_QUERY:
        choice->query = variant;
        break;
    case PLD_VARIANT_CONTEXTS:
        choice->contexts = variant;
        break;
    case PLD_VARIANT_ROWS:
        if (choice->rows == &pld_variant_identity) { /* there is no map for others to act on */
            return;
        }
        choice->rows = variant;
        break;
    }
    if (variant->set) {
        variant->set(choice, effect);
    }
}

pld_status pld_variant_table_add_effect(pld_variant_table *table, const pld_attention_effect *effect,
                                        const char *method, int *sites, pld_error *error) {
    const pld_attention_variant *variant = find_variant(effect->variant);
    char option[64];
    snprintf(option, sizeof option, "guidance %s: layers", method);
    if (!variant) {
        return pld_fail(error, PLD_ERROR_INTERNAL, "guidance %s: no attention variant '%s'", method,
                        effect->variant);
    }
    const pld_site_choice selection = {effect->layers, "+", variant->site_kinds, option};
    return put_on_sites(table, &selection, effect->branches,
                        effect->joint_branches ? effect->joint_branches : effect->branches, put_effect,
                        effect, sites, error);
}

/** Mark every site of the block of a chosen one. */
static void skip_block(pld_variant_table *table, int block, pld_branch_set branches) {
    for (size_t i = 0; i < table->site_count; i++) {
        for (int branch = 0; table->sites[i].block == block && branch < PLD_BRANCH_COUNT; branch++) {
            if (branches & PLD_BRANCH_BIT(branch)) {
                pld_variant_choice(table, i, (pld_branch)branch)->skipped = true;
            }
        }
    }
}

pld_status pld_variant_table_skip(pld_variant_table *table, const pld_block_effect *effect,
                                  const char *method, pld_error *error) {
    char option[64];
    snprintf(option, sizeof option, "guidance %s: layers", method);
    const pld_site_choice choice = {effect->layers, "+", PLD_SITES_ALL | PLD_SITES_LINEAR, option};
    bool *chosen = pld_allocate(table->site_count, sizeof *chosen);
    if (!chosen) {
        return pld_fail_memory(error, table->site_count, "attention variants");
    }
    pld_status status = pld_sites_choose(table->sites, table->site_count, &choice, chosen, error);
    for (size_t i = 0; status == PLD_OK && i < table->site_count; i++) {
        if (chosen[i] && table->sites[i].block >= 0) {
            skip_block(table, table->sites[i].block, effect->branches);
        }
    }
    pld_free(chosen);
    return status;
}

void pld_variant_choice_text(const pld_attention_choice *choice, char *text, size_t size) {
    if (choice->skipped) {
        snprintf(text, size, "skipped");
        return;
    }
    snprintf(text, size, "%s%s%s%s%s", choice->contexts ? choice->contexts->name : "",
             choice->contexts ? "+" : "", choice->query ? choice->query->name : "", choice->query ? "+" : "",
             choice->rows->name);
}
