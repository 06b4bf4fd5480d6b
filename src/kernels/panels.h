/* SPDX-License-Identifier: Apache-2.0 */
/** Weights packed for panel_product, in the type in which they are stored.
 *
 * A matrix of `columns` outputs and `depth` inputs, each weight of `taps` numbers (1 in a linear layer, 9 in
 * a 3×3 convolution), is cut into panels of panel_columns() outputs:
 *
 *      [panel][depth][tap][column in the panel]        columns past the end are 0
 *
 * 16-bit weights stay 16-bit; a piece of a panel becomes float32 in the cache when it is used, which is
 * exact. Quantised weights, and those of 8 bits, stay rows as they are stored,
 *
 *      [panel][column in the panel][depth]             in whole blocks of their type, int8 behind the float32 scale of the row,
 *
 * and a piece is widened and turned in the cache. The two halves of a gate's columns are cut one by one, and their panels alternate, so that what is
 * multiplied in the end is computed together.
 */
#ifndef PLD_KERNELS_PANELS_H
#define PLD_KERNELS_PANELS_H

#include "kernels/cuts.h"
#include "kernels/kernels.h"

typedef enum pld_panel_type {
    PLD_PANEL_F32,
    PLD_PANEL_F16,
    PLD_PANEL_BF16,
    PLD_PANEL_STORED, /* the rows of pld_panels.stored; of one tap, and a depth of whole blocks */
    PLD_PANEL_INT8,   /* integers for int8_product, in another order: kernels/int8.h; of one tap */
    PLD_PANEL_PAIRS,  /* bfloat16 for pair_product, in another order: kernels/pairs.h */
    PLD_PANEL_SPLIT   /* the same of two bfloat16 numbers each, high and low */
} pld_panel_type;

typedef struct pld_panels {
    pld_panel_type type;
    int64_t columns, depth, taps;
    bool halves;      /* panel 2i holds columns of the first half, panel 2i + 1 their partners */
    pld_dtype stored; /* of PLD_PANEL_STORED */
    float scale
        [2]; /* of PLD_PANEL_STORED: what its numbers are multiplied by; the second: those of every other panel of halves */
} pld_panels;

/** Panels that are computed one after the other: a panel, or one and its partner. */
static inline int64_t pld_panels_together(const pld_panels *shape) {
    return shape->halves ? 2 : 1;
}

/** Panels in all. */
static inline int64_t pld_panel_count(const pld_kernels *k, const pld_panels *shape) {
    const int64_t together = pld_panels_together(shape);
    return together * pld_parts(shape->columns / together, k->panel_columns());
}

/** The columns of a panel: the first of them, and how many. */
static inline int64_t pld_panel_first(const pld_kernels *k, const pld_panels *shape, int64_t panel) {
    return shape->halves ? panel / 2 * k->panel_columns() + panel % 2 * (shape->columns / 2)
                         : panel * k->panel_columns();
}
static inline int64_t pld_panel_width(const pld_kernels *k, const pld_panels *shape, int64_t panel) {
    const int64_t end = shape->halves && panel % 2 == 0 ? shape->columns / 2 : shape->columns;
    const int64_t left = end - pld_panel_first(k, shape, panel);
    return pld_smaller(left, k->panel_columns());
}

/** Where a panel's columns of some rows go, and what is added to them. */
typedef struct pld_panel_target {
    float *out;       /* rows out_row floats apart */
    const float *add; /* likewise, may be out; or NULL */
    int64_t out_row;
} pld_panel_target;

/** Whether blocks or rows of the type have scales of their own. */
bool pld_panels_scaled(pld_dtype stored);

/** Whether rows of this type and depth can be panels as they are stored. */
bool pld_panels_keep(pld_dtype stored, int64_t depth);

/** Of PLD_PANEL_STORED: bytes of the scale in front of a row, if it has one; of a row of the depth with it; and where the rows
 * of a panel are in `packed`. */
size_t pld_panel_front_bytes(const pld_panels *shape);
size_t pld_panel_row_bytes(const pld_panels *shape);
size_t pld_panel_offset(const pld_kernels *k, const pld_panels *shape, int64_t panel);

/** Floats that reading a piece of `count` of the depth wants room for. */
size_t pld_panels_room(const pld_kernels *k, const pld_panels *shape, int64_t count);

/** Bytes of the packed weights. */
size_t pld_panels_bytes(const pld_kernels *k, const pld_panels *shape);

/** Not of PLD_PANEL_STORED. Weights of one panel, [columns of the panel, depth, taps] float32, into its place in `packed`. Exact when
 * every value is one of the type, else rounded. */
void pld_panels_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                     void *packed);

/** The same of halves whose matrices are stored apart, [columns / 2, depth, taps] float32 each: gate and up,
 * or wi_0 and wi_1. All of both is given. */
void pld_panels_pack_halves(const pld_kernels *k, const pld_panels *shape, const float *first,
                            const float *second, int64_t panel, void *packed);

/** Of all types but those of pair_product: rows [first, first + count) of the depth of panel `panel` as
 * float32 [count, taps, panel_columns()]: in `packed` itself, or expanded into `room` (pld_panels_room). Of
 * PLD_PANEL_STORED first and count are whole blocks. */
const float *pld_panels_read(const pld_kernels *k, const pld_panels *shape, const void *packed, int64_t panel,
                             int64_t first, int64_t count, float *room);

#endif
