/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/panels.h"

#include <string.h>

#include "kernels/cuts.h"
#include "kernels/int8.h"
#include "kernels/pairs.h"

static size_t type_size(pld_panel_type type) {
    return type == PLD_PANEL_F32 ? 4 : 2;
}

bool pld_panels_scaled(pld_dtype stored) {
    return pld_dtype_is_quantised(stored) || stored == PLD_DTYPE_I8;
}

bool pld_panels_keep(pld_dtype stored, int64_t depth) {
    const bool small = pld_panels_scaled(stored) || pld_dtype_is_f8(stored);
    return small && depth % (int64_t)pld_dtype_block(stored) == 0;
}

size_t pld_panel_front_bytes(const pld_panels *shape) {
    return shape->stored == PLD_DTYPE_I8 ? sizeof(float) : 0;
}

size_t pld_panel_row_bytes(const pld_panels *shape) {
    return pld_panel_front_bytes(shape) +
           (size_t)shape->depth / pld_dtype_block(shape->stored) * pld_dtype_size(shape->stored);
}

size_t pld_panel_offset(const pld_kernels *k, const pld_panels *shape, int64_t panel) {
    return (size_t)(panel * k->panel_columns()) * pld_panel_row_bytes(shape);
}

size_t pld_panels_room(const pld_kernels *k, const pld_panels *shape, int64_t count) {
    const int64_t piece = count * shape->taps * k->panel_columns();
    return (size_t)(shape->type == PLD_PANEL_F32 ? 0 : shape->type == PLD_PANEL_STORED ? 2 * piece : piece);
}

size_t pld_panels_bytes(const pld_kernels *k, const pld_panels *shape) {
    if (shape->type == PLD_PANEL_STORED) {
        return pld_panel_offset(k, shape, pld_panel_count(k, shape));
    }
    if (shape->type == PLD_PANEL_INT8) {
        return pld_int8_bytes(k, shape);
    }
    if (pld_pair_words(shape) > 0) {
        return pld_pairs_bytes(k, shape);
    }
    return (size_t)(pld_panel_count(k, shape) * k->panel_columns() * shape->depth * shape->taps) *
           type_size(shape->type);
}

/** `count` floats → the type, at element `at` of the packed weights. */
static void write_values(const pld_kernels *k, pld_panel_type type, const float *values, size_t count,
                         void *packed, size_t at) {
    char *to = (char *)packed + at * type_size(type);
    if (type == PLD_PANEL_F16) {
        k->f32_to_f16(values, count, to);
    } else if (type == PLD_PANEL_BF16) {
        k->f32_to_bf16(values, count, to);
    } else {
        memcpy(to, values, count * sizeof *values);
    }
}

void pld_panels_pack(const pld_kernels *k, const pld_panels *shape, const float *weights, int64_t panel,
                     void *packed) {
    if (shape->type == PLD_PANEL_INT8) {
        pld_int8_pack(k, shape, weights, panel, packed);
        return;
    }
    if (pld_pair_words(shape) > 0) {
        pld_pairs_pack(k, shape, weights, panel, packed);
        return;
    }
    enum { PIECE = 64, MOST_COLUMNS = 64 }; /* numbers of each row at a time: read along cache lines */
    const int64_t width = k->panel_columns();
    const int64_t row = shape->depth * shape->taps;
    const int64_t columns = pld_panel_width(k, shape, panel);
    float values[PIECE * MOST_COLUMNS];
    if (columns < width) { /* the columns beyond are zeros in every piece */
        memset(values, 0, sizeof values);
    }
    for (int64_t i = 0; i < row; i += PIECE) {
        const int64_t count = pld_smaller(PIECE, row - i);
        k->transpose(weights + i, row, columns, count, values, width);
        write_values(k, shape->type, values, (size_t)(count * width), packed,
                     (size_t)((panel * row + i) * width));
    }
}

void pld_panels_pack_halves(const pld_kernels *k, const pld_panels *shape, const float *first,
                            const float *second, int64_t panel, void *packed) {
    const int64_t half = panel % 2 * (shape->columns / 2);
    const int64_t row = pld_panel_first(k, shape, panel) - half;
    pld_panels_pack(k, shape, (panel % 2 ? second : first) + row * shape->depth * shape->taps, panel, packed);
}

/** Rows of blocks → float32 [columns, count] behind the piece, which is those turned. */
static const float *widen_rows(const pld_kernels *k, const pld_panels *shape, const void *packed,
                               int64_t panel, int64_t first, int64_t count, float *room) {
    const int64_t width = k->panel_columns(), columns = pld_panel_width(k, shape, panel);
    const size_t row = pld_panel_row_bytes(shape);
    const size_t begin = (size_t)first / pld_dtype_block(shape->stored) * pld_dtype_size(shape->stored);
    const char *from = (const char *)packed + pld_panel_offset(k, shape, panel);
    const size_t front = pld_panel_front_bytes(shape);
    float *rows = room + count * width;
    for (int64_t i = 0; i < columns; i++, from += row) {
        float own = 1;
        pld_convert_to_f32(k, shape->stored, from + front + begin, (size_t)count, rows + i * count);
        memcpy(&own, from, front);
        for (int64_t j = 0; front && j < count; j++) {
            rows[i * count + j] *= own;
        }
    }
    if (columns < width) {
        memset(rows + columns * count, 0, (size_t)((width - columns) * count) * sizeof *rows);
    }
    const float scale = shape->scale[shape->halves ? panel % 2 : 0];
    for (int64_t i = 0; scale != 1 && i < columns * count; i++) {
        rows[i] *= scale;
    }
    k->transpose(rows, count, width, count, room, width);
    return room;
}

const float *pld_panels_read(const pld_kernels *k, const pld_panels *shape, const void *packed, int64_t panel,
                             int64_t first, int64_t count, float *room) {
    const int64_t row = shape->taps * k->panel_columns();
    const int64_t at = (panel * shape->depth + first) * row;
    if (shape->type == PLD_PANEL_F32) {
        return (const float *)packed + at;
    }
    if (shape->type == PLD_PANEL_STORED) {
        return widen_rows(k, shape, packed, panel, first, count, room);
    }
    const char *from = (const char *)packed + (size_t)at * type_size(shape->type);
    if (shape->type == PLD_PANEL_F16) {
        k->f16_to_f32(from, (size_t)(count * row), room);
    } else {
        k->bf16_to_f32(from, (size_t)(count * row), room);
    }
    return room;
}
