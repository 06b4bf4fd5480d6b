/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

const char *pld_site_kind_name(pld_site_kind kind) {
    static const char *const names[] = {[PLD_SITE_SELF] = "self",
                                        [PLD_SITE_CROSS] = "cross",
                                        [PLD_SITE_JOINT] = "joint",
                                        [PLD_SITE_LINEAR] = "linear"};
    return names[kind];
}

void pld_plan_init(pld_plan *plan, pld_parameters *parameters) {
    *plan = (pld_plan){.parameters = parameters};
}

void pld_plan_free(pld_plan *plan) {
    if (plan->executable) {
        plan->release(plan);
    }
    pld_free(plan->constants);
    pld_free(plan->operators);
    pld_free(plan->values);
    pld_free(plan->sites);
    pld_free(plan->offers);
    *plan = (pld_plan){0};
}

size_t pld_value_floats(const pld_value *value) {
    size_t floats = (size_t)value->batch;
    size_t bytes = 0;
    bool fits = pld_multiply(floats, (size_t)value->height, &floats) &&
                pld_multiply(floats, (size_t)value->width, &floats) &&
                pld_multiply(floats, (size_t)value->channels, &floats) &&
                pld_multiply(floats, sizeof(float), &bytes);
    return fits ? floats : 0;
}

/** Lives overlap: one is written while the other is still wanted. */
static bool meet(const pld_value *a, const pld_value *b) {
    if (a->life == PLD_VALUE_KEPT || b->life == PLD_VALUE_KEPT) {
        return true;
    }
    return a->first <= b->held && b->first <= a->held;
}

/** It takes the place of the one that it narrows: nothing reads that one afterwards. */
static bool takes_place(const pld_plan *plan, const pld_value *value) {
    if (value->narrows == PLD_NO_VALUE || value->life != PLD_VALUE_TEMPORARY) {
        return false;
    }
    const pld_value *wide = &plan->values[value->narrows];
    return wide->life == PLD_VALUE_TEMPORARY && wide->last == value->first &&
           wide->channels >= value->channels;
}

/** How long places are held: by a value, and by those that take its place. Values are older than those that
 * narrow them. */
static void hold_places(pld_plan *plan) {
    for (size_t i = 0; i < plan->value_count; i++) {
        plan->values[i].held = plan->values[i].last;
    }
    for (size_t i = plan->value_count; i-- > 0;) {
        const pld_value *value = &plan->values[i];
        if (takes_place(plan, value)) {
            pld_value *wide = &plan->values[value->narrows];
            wide->held = value->held > wide->held ? value->held : wide->held;
        }
    }
}

static size_t aligned_floats(const pld_value *value) {
    const size_t step = PLD_ALIGNMENT / sizeof(float);
    return (pld_value_floats(value) + step - 1) / step * step;
}

/** The lowest offset at which `value` fits beside the `placed` values that live at the same time. */
static size_t lowest_offset(const pld_value *value, pld_value *const *placed, size_t count) {
    size_t offset = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            const pld_value *other = placed[i];
            bool apart = offset + aligned_floats(value) <= other->offset ||
                         other->offset + aligned_floats(other) <= offset;
            if (!apart && meet(value, other)) {
                offset = other->offset + aligned_floats(other);
                moved = true;
            }
        }
    }
    return offset;
}

static int by_size(const void *a, const void *b) {
    const pld_value *const *x = a;
    const pld_value *const *y = b;
    size_t size_x = pld_value_floats(*x);
    size_t size_y = pld_value_floats(*y);
    if (size_x != size_y) {
        return size_x < size_y ? 1 : -1;
    }
    return *x < *y ? -1 : 1; /* values of one array: a fixed order */
}

pld_status pld_plan_layout(pld_plan *plan, pld_error *error) {
    pld_value **order = pld_allocate(plan->value_count, sizeof(void *));
    if (!order) {
        return pld_fail_memory(error, plan->value_count * sizeof(void *), "plan");
    }
    hold_places(plan);
    size_t count = 0;
    for (size_t i = 0; i < plan->value_count; i++) {
        pld_value *value = &plan->values[i];
        if (!takes_place(plan, value)) {
            order[count++] = value;
        }
        if (pld_value_floats(value) == 0) {
            pld_free(order);
            return pld_fail(error, PLD_ERROR_MEMORY,
                            "a buffer of this size cannot be addressed; use a smaller picture");
        }
    }
    qsort(order, count, sizeof(void *), by_size);
    plan->memory_floats = 0;
    for (size_t i = 0; i < count; i++) {
        order[i]->offset = lowest_offset(order[i], order, i);
        size_t end = order[i]->offset + aligned_floats(order[i]);
        plan->memory_floats = end > plan->memory_floats ? end : plan->memory_floats;
    }
    for (size_t i = 0; i < plan->value_count; i++) {
        pld_value *value = &plan->values[i];
        value->offset = takes_place(plan, value) ? plan->values[value->narrows].offset : value->offset;
    }
    pld_free(order);
    return PLD_OK;
}
