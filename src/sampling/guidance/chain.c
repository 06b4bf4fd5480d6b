/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of one run: which go together, who acts in a step, and in what order. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/guidance/methods.h"

static pld_guidance *find_role(pld_guidance_chain *chain, pld_guidance_role role) {
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->items[i].method->role == role) {
            return &chain->items[i];
        }
    }
    return NULL;
}

static pld_guidance *find_method(pld_guidance_chain *chain, const pld_guidance_method *method) {
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->items[i].method == method) {
            return &chain->items[i];
        }
    }
    return NULL;
}

static void add(pld_guidance_chain *chain, const pld_guidance_method *method) {
    pld_guidance_init(&chain->items[chain->count++], method);
}

static void remove_item(pld_guidance_chain *chain, pld_guidance *item) {
    pld_guidance *end = chain->items + --chain->count;
    memmove(item, item + 1, (size_t)(end - item) * sizeof *item);
}

/** Parse; each method once, and one main method. */
static pld_status collect(pld_guidance_chain *chain, const pld_guidance_request *request, pld_error *error) {
    for (size_t i = 0; i < request->count; i++) {
        pld_guidance g;
        PLD_TRY(pld_guidance_parse(request->texts[i], &g, error));
        if (find_method(chain, g.method)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "guidance %s: given twice; give all options in one, layers joined by +",
                            g.method->name);
        }
        const pld_guidance *main = find_role(chain, PLD_GUIDANCE_MAIN);
        if (g.method->role == PLD_GUIDANCE_MAIN && main) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "guidance %s and %s: both combine the unconditional and the conditional "
                            "prediction into one; choose one of them",
                            main->method->name, g.method->name);
        }
        chain->items[chain->count++] = g; /* each method at most once: there is room */
    }
    return PLD_OK;
}

/** What the request's numbers ask for beside its texts. */
static void add_implied(pld_guidance_chain *chain, const pld_guidance_request *request) {
    const double scale = isnan(request->cfg_scale) ? request->default_cfg_scale : request->cfg_scale;
    if (!find_role(chain, PLD_GUIDANCE_MAIN)) {
        add(chain, scale > 1 ? &pld_guidance_cfg : &pld_guidance_none);
    }
    if (request->cfg_rescale != 0 && !find_method(chain, &pld_guidance_rescale)) {
        add(chain, &pld_guidance_rescale);
    }
}

/** A main method at its neutral value becomes the simpler one that it equals; others go. */
static pld_status drop_neutral(pld_guidance_chain *chain, const pld_guidance_request *request,
                               const pld_log *log, pld_error *error) {
    for (size_t i = 0; i < chain->count;) {
        pld_guidance *g = &chain->items[i];
        const pld_guidance_method *method = g->method;
        if (request->keep_neutral || !method->neutral || !method->neutral(g)) {
            i++;
            continue;
        }
        char text[256];
        pld_guidance_text(g, text, sizeof text);
        pld_log_message(log, method == &pld_guidance_cfg ? PLD_LOG_DETAIL : PLD_LOG_WARNING,
                        "guidance %s changes nothing and is left out", text);
        if (method == &pld_guidance_cfg) {
            pld_guidance_init(g, &pld_guidance_none);
        } else if (method->role == PLD_GUIDANCE_MAIN) { /* keeps its scale */
            pld_guidance cfg = *g;
            cfg.method = &pld_guidance_cfg;
            *g = cfg;
            PLD_TRY(pld_guidance_settle_cfg_scale(g, request, error));
        } else {
            remove_item(chain, g);
        }
    }
    return PLD_OK;
}

/** Methods that act on a guided prediction need one. */
static pld_status check_guided(pld_guidance_chain *chain, const pld_guidance_request *request,
                               const pld_log *log, pld_error *error) {
    const pld_guidance *main = find_role(chain, PLD_GUIDANCE_MAIN);
    if (main->method != &pld_guidance_none || find_role(chain, PLD_GUIDANCE_TERM)) {
        return PLD_OK;
    }
    pld_guidance *rescale = find_method(chain, &pld_guidance_rescale);
    if (rescale && !rescale->given[0] && request->cfg_rescale != 0) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "cfg-rescale has no effect without guidance; use a cfg-scale "
                        "above 1");
        remove_item(chain, rescale);
        rescale = NULL;
    }
    const pld_guidance *idle = rescale ? rescale : find_method(chain, &pld_guidance_interval);
    return !idle || request->keep_neutral
               ? PLD_OK
               : pld_fail(
                     error, PLD_ERROR_ARGUMENT,
                     "guidance %s: there is no guided prediction for it to act on; use a cfg-scale above "
                     "1, pag, seg or slg",
                     idle->method->name);
}

static void sort_by_role(pld_guidance_chain *chain) {
    for (size_t i = 1; i < chain->count; i++) {
        pld_guidance g = chain->items[i];
        size_t at = i;
        for (; at > 0 && chain->items[at - 1].method->role > g.method->role; at--) {
            chain->items[at] = chain->items[at - 1];
        }
        chain->items[at] = g;
    }
}

pld_status pld_guidance_chain_resolve(pld_guidance_chain *chain, const pld_guidance_request *request,
                                      const pld_log *log, pld_error *error) {
    *chain = (pld_guidance_chain){.start = 0, .end = 1};
    PLD_TRY(collect(chain, request, error));
    add_implied(chain, request);
    for (size_t i = 0; i < chain->count; i++) {
        pld_guidance *g = &chain->items[i];
        if (g->method->settle) {
            PLD_TRY(g->method->settle(g, request, error));
        }
    }
    PLD_TRY(drop_neutral(chain, request, log, error));
    PLD_TRY(check_guided(chain, request, log, error));
    sort_by_role(chain);
    for (size_t i = 0; i < chain->count; i++) {
        if (chain->items[i].method->interval) {
            chain->items[i].method->interval(&chain->items[i], &chain->start, &chain->end);
        }
        chain->joint_branches |= request->text_joins_sample ? chain->items[i].method->joint_branches : 0;
    }
    return PLD_OK;
}

void pld_guidance_chain_free(pld_guidance_chain *chain) {
    for (size_t i = 0; i < chain->count; i++) {
        pld_free(chain->items[i].state);
    }
    *chain = (pld_guidance_chain){0};
}

pld_status pld_guidance_chain_begin(pld_guidance_chain *chain, size_t count, pld_error *error) {
    for (size_t i = 0; i < chain->count; i++) {
        pld_guidance *g = &chain->items[i];
        pld_free(g->state);
        g->state = g->method->buffers ? pld_allocate(g->method->buffers * count, sizeof *g->state) : NULL;
        if (g->method->buffers && !g->state) {
            return pld_fail_memory(error, g->method->buffers * count * sizeof *g->state, "guidance");
        }
    }
    return PLD_OK;
}

static bool is_active(const pld_guidance_chain *chain, size_t step, size_t steps) {
    return floor(chain->start * (double)steps) <= (double)step &&
           (double)step < floor(chain->end * (double)steps);
}

static bool is_zeroed(const pld_guidance_chain *chain, size_t step) {
    const pld_guidance *main = &chain->items[0];
    return main->method->zeroed && main->method->zeroed(main, step);
}

static bool acts(const pld_guidance *item, size_t step, size_t steps) {
    return !item->method->acts || item->method->acts(item, step, steps);
}

pld_branch_set pld_guidance_chain_branches(const pld_guidance_chain *chain, size_t step, size_t steps) {
    pld_branch_set branches = 0;
    if (!is_active(chain, step, steps)) {
        return PLD_BRANCH_BIT(PLD_BRANCH_CONDITIONAL) | chain->joint_branches;
    }
    for (size_t i = 0; i < chain->count && !is_zeroed(chain, step); i++) {
        branches |= acts(&chain->items[i], step, steps) ? chain->items[i].method->branches : 0;
    }
    return branches ? branches | chain->joint_branches : 0;
}

pld_branch_set pld_guidance_chain_texts(const pld_guidance_chain *chain) {
    pld_branch_set texts = 0;
    for (size_t i = 0; i < chain->count; i++) {
        texts |= chain->items[i].method->texts;
        for (int branch = 0; branch < PLD_BRANCH_COUNT; branch++) {
            if (chain->items[i].method->branches & PLD_BRANCH_BIT(branch)) {
                texts |= PLD_BRANCH_BIT(pld_branch_text((pld_branch)branch));
            }
        }
    }
    return texts;
}

void pld_guidance_chain_combine(pld_guidance_chain *chain, pld_guidance_step *step) {
    step->renoise = NULL;
    if (!is_active(chain, step->step, step->steps)) {
        memcpy(step->guided, step->predictions[PLD_BRANCH_CONDITIONAL], step->count * sizeof *step->guided);
    } else if (is_zeroed(chain, step->step)) {
        memset(step->guided, 0, step->count * sizeof *step->guided);
    } else {
        for (size_t i = 0; i < chain->count; i++) {
            if (chain->items[i].method->combine && acts(&chain->items[i], step->step, step->steps)) {
                chain->items[i].method->combine(&chain->items[i], step);
            }
        }
    }
}

const char *pld_guidance_chain_renoises(const pld_guidance_chain *chain) {
    return chain->items[0].method->renoises ? chain->items[0].method->name : NULL;
}

double pld_guidance_chain_scale(const pld_guidance_chain *chain) {
    return chain->items[0].method == &pld_guidance_none ? 1 : chain->items[0].values[0];
}

void pld_guidance_chain_text(const pld_guidance_chain *chain, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < chain->count && used + 2 < size; i++) {
        if (i) {
            used += (size_t)snprintf(text + used, size - used, ", ");
        }
        pld_guidance_text(&chain->items[i], text + used, size - used);
        used += strlen(text + used);
    }
}
