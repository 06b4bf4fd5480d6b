/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/int8.h"

#include <string.h>

enum { QUAD = 4, MOST_COLUMNS = 64, PIECE_QUADS = PLD_INT8_DEPTH / QUAD };

/** Quads of `count` numbers, filled up. */
static int64_t quads_of(int64_t count) {
    return pld_parts(count, PLD_INT8_STEP) * (PLD_INT8_STEP / QUAD);
}

/** Bytes of a panel up to a place in the depth at which a piece begins or ends. */
static size_t panel_bytes(const pld_kernels *k, int64_t depth) {
    const int64_t pieces = pld_parts(depth, PLD_INT8_DEPTH);
    const int64_t words = quads_of(depth) + pieces * 2; /* a scale and a sum */
    return (size_t)(words * k->panel_columns()) * sizeof(uint32_t);
}

size_t pld_int8_bytes(const pld_kernels *k, const pld_panels *shape) {
    return (size_t)pld_panel_count(k, shape) * panel_bytes(k, shape->depth);
}

/** Where a piece begins. */
static size_t piece_offset(const pld_kernels *k, const pld_panels *shape, int64_t panel, int64_t first) {
    return (size_t)panel * panel_bytes(k, shape->depth) + panel_bytes(k, first);
}

pld_int8_piece pld_int8_at(const pld_kernels *k, const pld_panels *shape, const void *packed, int64_t panel,
                           int64_t first) {
    const int64_t width = k->panel_columns();
    const float *scales = (const void *)((const char *)packed + piece_offset(k, shape, panel, first));
    const int32_t *sums = (const void *)(scales + width);
    return (pld_int8_piece){scales, sums, (const void *)(sums + width),
                            quads_of(pld_smaller(PLD_INT8_DEPTH, shape->depth - first))};
}

int64_t pld_int8_row_words(const pld_kernels *k, int64_t depth) {
    return quads_of(depth) * k->int8_words();
}

/** A column's numbers of a piece, rotated → its integers [PLD_INT8_DEPTH], and what goes with them. */
static void pack_column(const pld_kernels *k, const float *from, int64_t count, int8_t *integers,
                        float *scale, int32_t *sum) {
    float rotated[PLD_INT8_DEPTH];
    k->hadamard(from, count, rotated);
    /* the product of two rotated sides is as often too large as a block of the matrix has rows */
    *scale = k->f32_to_int8(rotated, (size_t)count, integers) / (float)(count & -count);
    int32_t all = 0;
    for (int64_t i = 0; i < count; i++) {
        all += integers[i];
    }
    *sum = all;
}

/** A piece of a panel's columns, [columns, depth] float32 from the piece's first number on, to where it stands. */
static void pack_piece(const pld_kernels *k, const float *weights, int64_t row, int64_t columns,
                       int64_t count, void *at) {
    const int64_t width = k->panel_columns(), quads = quads_of(count);
    float integers[MOST_COLUMNS *
                   PIECE_QUADS]; /* four of a column in the place of a float, which is but moved */
    float *scales = at;
    int32_t *sums = (void *)(scales + width);
    memset(integers, 0, (size_t)(width * quads) * sizeof *integers);
    memset(at, 0, (size_t)width * (sizeof *scales + sizeof *sums));
    for (int64_t n = 0; n < columns; n++) {
        pack_column(k, weights + n * row, count, (int8_t *)(integers + n * quads), scales + n, sums + n);
    }
    k->transpose(integers, quads, width, quads, (void *)(sums + width), width);
}

void pld_int8_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                   void *packed) {
    const int64_t columns = pld_panel_width(k, shape, panel);
    for (int64_t first = 0; first < shape->depth; first += PLD_INT8_DEPTH) {
        pack_piece(k, weights + first, shape->depth, columns,
                   pld_smaller(PLD_INT8_DEPTH, shape->depth - first),
                   (char *)packed + piece_offset(k, shape, panel, first));
    }
}
