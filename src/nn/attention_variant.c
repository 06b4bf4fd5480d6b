/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/attention_variant.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

const pld_attention_variant pld_variant_softmax = {"softmax", "ordinary attention", "self,cross"};
const pld_attention_variant pld_variant_pladis = {
    "pladis", "dense + lambda (alpha-entmax - dense) on cross-attention (Kim & Sim 2025, arXiv 2503.07677)",
    "cross"};

const pld_attention_variant *const pld_attention_variants[] = {&pld_variant_softmax, &pld_variant_pladis,
                                                               NULL};

pld_status pld_variant_table_init(pld_variant_table *table, const pld_site *sites, size_t site_count,
                                  pld_error *error) {
    size_t count = site_count * PLD_BRANCH_COUNT;
    *table = (pld_variant_table){pld_allocate(count, sizeof *table->choices), sites, site_count};
    if (!table->choices) {
        return pld_fail_memory(error, count * sizeof *table->choices, "attention variants");
    }
    for (size_t i = 0; i < count; i++) {
        table->choices[i] = (pld_attention_choice){&pld_variant_softmax, PLD_ROWS_SOFTMAX, 0, 2};
    }
    return PLD_OK;
}

void pld_variant_table_free(pld_variant_table *table) {
    pld_free(table->choices);
    *table = (pld_variant_table){0};
}

bool pld_site_matches(const pld_site *site, const char *name, size_t length) {
    static const char *const kinds[] = {"down", "mid", "up"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t kind = strlen(kinds[i]);
        if (length == kind && strncmp(name, kinds[i], kind) == 0) {
            return strncmp(site->name, kinds[i], kind) == 0 && site->name[kind] == '_';
        }
    }
    return length > 0 && strncmp(site->name, name, length) == 0 &&
           (site->name[length] == '.' || site->name[length] == 0);
}

/** Mark the cross sites that one name of the list selects; their number. */
static size_t mark_sites(const pld_variant_table *table, const char *name, size_t length, bool *chosen) {
    bool all = length == 3 && strncmp(name, "all", 3) == 0;
    size_t matches = 0;
    for (size_t i = 0; i < table->site_count; i++) {
        if (table->sites[i].kind == PLD_SITE_CROSS &&
            (all || pld_site_matches(&table->sites[i], name, length))) {
            chosen[i] = true;
            matches++;
        }
    }
    return matches;
}

static pld_status choose_sites(const pld_variant_table *table, const char *blocks, bool *chosen,
                               pld_error *error) {
    for (const char *name = blocks;;) {
        size_t length = strcspn(name, ",");
        if (mark_sites(table, name, length, chosen) == 0) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "pladis-blocks: '%.*s' matches no cross-attention of this model; use all, down, mid, up or "
                "names as 'pladis info' prints them",
                (int)(length < 200 ? length : 200), name);
        }
        if (name[length] == 0) {
            return PLD_OK;
        }
        name += length + 1;
    }
}

pld_status pld_variant_table_add_pladis(pld_variant_table *table, const pld_pladis_request *request,
                                        int *sites, pld_error *error) {
    *sites = 0;
    if (request->lambda == 0) {
        return PLD_OK;
    }
    bool *chosen = pld_allocate(table->site_count, sizeof *chosen);
    if (!chosen) {
        return pld_fail_memory(error, table->site_count, "attention variants");
    }
    pld_status status = choose_sites(table, request->blocks, chosen, error);
    for (size_t i = 0; status == PLD_OK && i < table->site_count; i++) {
        for (int branch = 0; chosen[i] && branch < PLD_BRANCH_COUNT; branch++) {
            table->choices[i * PLD_BRANCH_COUNT + (size_t)branch] = (pld_attention_choice){
                &pld_variant_pladis, PLD_ROWS_PLADIS, (float)request->lambda, (float)request->alpha};
        }
        *sites += chosen[i];
    }
    pld_free(chosen);
    return status;
}
