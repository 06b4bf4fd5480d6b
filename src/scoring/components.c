/* SPDX-License-Identifier: Apache-2.0 */
#include "scoring/components.h"

#include "core/memory.h"

typedef struct flood {
    const uint8_t *mask;
    int width, height;
    int32_t *labels;
    int32_t
        *stack; /* pixels that are labelled and whose neighbours are not yet looked at, [width * height] */
    size_t depth;
} flood;

/** Label pixel (x, y) if it is set and free, and remember it. */
static void visit(flood *f, int x, int y, int32_t label, pld_component *component) {
    const size_t at = (size_t)y * (size_t)f->width + (size_t)x;
    if (!f->mask[at] || f->labels[at]) {
        return;
    }
    f->labels[at] = label;
    f->stack[f->depth++] = (int32_t)at;
    component->area++;
    component->left = x < component->left ? x : component->left;
    component->right = x >= component->right ? x + 1 : component->right;
    component->top = y < component->top ? y : component->top;
    component->bottom = y >= component->bottom ? y + 1 : component->bottom;
}

/** The whole component around (x, y). */
static pld_component fill(flood *f, int x, int y, int32_t label) {
    pld_component component = {.left = x, .top = y, .right = x, .bottom = y};
    visit(f, x, y, label, &component);
    while (f->depth > 0) {
        const int32_t at = f->stack[--f->depth];
        const int px = at % f->width, py = at / f->width;
        if (px > 0) {
            visit(f, px - 1, py, label, &component);
        }
        if (px + 1 < f->width) {
            visit(f, px + 1, py, label, &component);
        }
        if (py > 0) {
            visit(f, px, py - 1, label, &component);
        }
        if (py + 1 < f->height) {
            visit(f, px, py + 1, label, &component);
        }
    }
    return component;
}

static pld_status find_all(flood *f, pld_components *components, pld_error *error) {
    for (int y = 0; y < f->height; y++) {
        for (int x = 0; x < f->width; x++) {
            const size_t at = (size_t)y * (size_t)f->width + (size_t)x;
            if (!f->mask[at] || f->labels[at]) {
                continue;
            }
            if (!pld_grow((void **)&components->items, &components->capacity, components->count + 1,
                          sizeof *components->items)) {
                return pld_fail_memory(error, (components->count + 1) * sizeof *components->items,
                                       "components");
            }
            const int32_t label = (int32_t)components->count + 1;
            components->items[components->count++] = fill(f, x, y, label);
        }
    }
    return PLD_OK;
}

pld_status pld_components_find(const uint8_t *mask, int width, int height, pld_components *components,
                               pld_error *error) {
    const size_t pixels = (size_t)width * (size_t)height;
    *components = (pld_components){.labels = pld_allocate(pixels, sizeof(int32_t))};
    flood f = {.mask = mask,
               .width = width,
               .height = height,
               .labels = components->labels,
               .stack = pld_allocate(pixels, sizeof(int32_t))};
    pld_status status = f.labels && f.stack ? find_all(&f, components, error)
                                            : pld_fail_memory(error, pixels * sizeof(int32_t), "components");
    pld_free(f.stack);
    return status;
}

void pld_components_free(pld_components *components) {
    pld_free(components->labels);
    pld_free(components->items);
    *components = (pld_components){0};
}
