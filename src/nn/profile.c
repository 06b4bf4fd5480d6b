/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"

struct pld_profile {
    pld_profile_span *spans;
    size_t count, capacity, lost;
    double began;
};

pld_status pld_profile_create(pld_profile **profile, pld_error *error) {
    *profile = pld_allocate(1, sizeof **profile);
    if (!*profile) {
        return pld_fail_memory(error, sizeof **profile, "profile");
    }
    (*profile)->began = pld_seconds();
    return PLD_OK;
}

void pld_profile_destroy(pld_profile **profile) {
    if (*profile) {
        pld_free((*profile)->spans);
        pld_free(*profile);
        *profile = NULL;
    }
}

void pld_profile_clear(pld_profile *profile) {
    profile->count = profile->lost = 0;
    profile->began = pld_seconds();
}

size_t pld_profile_span_count(const pld_profile *profile) {
    return profile->count;
}

const pld_profile_span *pld_profile_span_at(const pld_profile *profile, size_t index) {
    return index < profile->count ? &profile->spans[index] : NULL;
}

size_t pld_profile_lost(const pld_profile *profile) {
    return profile->lost;
}

/** A new span that ends at `end`; NULL when memory is out: a profile never ends a run. */
static pld_profile_span *append(pld_profile *profile, pld_profile_level level, double begin, double end) {
    if (!pld_grow((void **)&profile->spans, &profile->capacity, profile->count + 1, sizeof *profile->spans)) {
        profile->lost++;
        return NULL;
    }
    pld_profile_span *span = &profile->spans[profile->count++];
    *span = (pld_profile_span){
        .struct_size = sizeof *span, .level = level, .begin = begin - profile->began, .seconds = end - begin};
    return span;
}

void pld_profile_end(pld_profile *profile, pld_profile_level level, const char *network, const char *name,
                     double begin) {
    pld_profile_span *span = profile ? append(profile, level, begin, pld_seconds()) : NULL;
    if (span) {
        snprintf(span->network, sizeof span->network, "%s", network);
        snprintf(span->name, sizeof span->name, "%s", name);
    }
}

void pld_profile_end_operator(pld_profile *profile, const pld_profiled_operator *what,
                              pld_profile_level level, double begin) {
    pld_profile_span *span = profile ? append(profile, level, begin, pld_seconds()) : NULL;
    if (span) {
        const pld_operator *op = what->op;
        snprintf(span->network, sizeof span->network, "%s", what->plan->name ? what->plan->name : "");
        snprintf(span->kind, sizeof span->kind, "%s", op->label);
        snprintf(span->name, sizeof span->name, "%s", op->name[0] ? op->name : op->label);
        snprintf(span->implementation, sizeof span->implementation, "%s", what->implementation);
        pld_operator_shape(what->plan, op, what->texts, span->shape, sizeof span->shape);
        span->operations = level == PLD_PROFILE_OPERATOR ? pld_operator_work(what->plan, op, what->texts) : 0;
    }
}

/** The strings that tell groups apart. */
static int compare_keys(const pld_profile_span *a, const pld_profile_span *b, pld_profile_grouping grouping) {
    int order = strcmp(a->network, b->network);
    if (order == 0) {
        order = strcmp(a->kind, b->kind);
    }
    if (order == 0 && grouping == PLD_PROFILE_BY_LAYER) {
        order = strcmp(a->name, b->name);
    }
    return order == 0 && grouping == PLD_PROFILE_BY_SHAPE ? strcmp(a->shape, b->shape) : order;
}

/** Spans in the order of their groups, the earliest of a group first. */
#define DEFINE_ORDER(name, grouping)                                                                         \
    static int name(const void *a, const void *b) {                                                          \
        const pld_profile_span *const *x = a, *const *y = b;                                                 \
        int order = compare_keys(*x, *y, grouping);                                                          \
        return order != 0 ? order : (*x > *y) - (*x < *y);                                                   \
    }
DEFINE_ORDER(by_kind, PLD_PROFILE_BY_KIND)
DEFINE_ORDER(by_layer, PLD_PROFILE_BY_LAYER)
DEFINE_ORDER(by_shape, PLD_PROFILE_BY_SHAPE)

static int by_seconds(const void *a, const void *b) {
    const pld_profile_row *x = a, *y = b;
    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

/** One row for each run of equal keys in `order`. Returns their number. */
static size_t add_up(const pld_profile_span *const *order, size_t spans, pld_profile_grouping grouping,
                     pld_profile_row *rows) {
    size_t count = 0;
    for (size_t i = 0; i < spans; i++) {
        const pld_profile_span *span = order[i];
        if (i == 0 || compare_keys(order[i - 1], span, grouping) != 0) {
            rows[count++] = (pld_profile_row){.struct_size = sizeof rows[0],
                                              .network = span->network,
                                              .kind = span->kind,
                                              .name = span->name,
                                              .shape = span->shape,
                                              .implementation = span->implementation};
        }
        rows[count - 1].count++;
        rows[count - 1].seconds += span->seconds;
        rows[count - 1].operations += span->operations;
    }
    return count;
}

/** The public view and what it points into; `summary` is first, so that one pointer is both. */
typedef struct profile_summary {
    pld_profile_summary summary;
    pld_profile_row *rows;
    const pld_profile_row **public_rows; /* into `rows` */
} profile_summary;

static void free_summary(profile_summary *summary) {
    if (summary) {
        pld_free(summary->rows);
        pld_free(summary->public_rows);
        pld_free(summary);
    }
}

/** With room for so many rows; NULL when memory is out. */
static profile_summary *new_summary(size_t most) {
    profile_summary *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return NULL;
    }
    made->rows = pld_allocate(most, sizeof *made->rows);
    made->public_rows = pld_allocate(most, sizeof(const pld_profile_row *));
    if (!made->rows || !made->public_rows) {
        free_summary(made);
        return NULL;
    }
    PLD_SIZED_LIST(made->public_rows, made->rows, most);
    made->summary = (pld_profile_summary){.struct_size = sizeof made->summary, .rows = made->public_rows};
    return made;
}

pld_status pld_profile_summarise(const pld_profile *profile, pld_profile_level level,
                                 pld_profile_grouping grouping, pld_profile_summary **summary,
                                 pld_error *error) {
    static int (*const orders[])(const void *, const void *) = {[PLD_PROFILE_BY_KIND] = by_kind,
                                                                [PLD_PROFILE_BY_LAYER] = by_layer,
                                                                [PLD_PROFILE_BY_SHAPE] = by_shape};
    const size_t most = profile->count;
    const pld_profile_span **order = pld_allocate(most, sizeof(const pld_profile_span *));
    profile_summary *made = new_summary(most);
    *summary = NULL;
    if (!order || !made) {
        pld_free(order);
        free_summary(made);
        return pld_fail_memory(error, most * sizeof *made->rows, "profile");
    }
    size_t spans = 0;
    for (size_t i = 0; i < profile->count; i++) {
        if (profile->spans[i].level == level) {
            order[spans++] = &profile->spans[i];
        }
    }
    qsort(order, spans, sizeof(const pld_profile_span *), orders[grouping]);
    made->summary.count = add_up(order, spans, grouping, made->rows);
    qsort(made->rows, made->summary.count, sizeof *made->rows, by_seconds);
    pld_free(order);
    *summary = &made->summary;
    return PLD_OK;
}

void pld_profile_summary_free(pld_profile_summary **summary) {
    free_summary((profile_summary *)*summary);
    *summary = NULL;
}
