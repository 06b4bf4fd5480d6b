/* SPDX-License-Identifier: Apache-2.0 */
/* The operands of products of 8-bit integers, in words as vector/int8.h and tiles want them. */
#include "kernels/table.h"
#include "kernels/vector/int8.h"

enum { PANEL_COLUMNS = 2 * PLD_LANES };

int64_t PLD_KERNEL(int8_words)(void) {
    return INT8_WORDS;
}

/** Numbers → words. */
static void write_words(const int8_t *numbers, int64_t count, uint32_t *words) {
    if (INT8_WORDS == 1) {
        uint8_t *to = (uint8_t *)words;
        for (int64_t i = 0; i < count; i++) {
            to[i] = (uint8_t)(numbers[i] + INT8_OFFSET);
        }
    } else {
        int16_t *to = (int16_t *)(void *)words;
        for (int64_t i = 0; i < count; i++) {
            to[i] = numbers[i]; /* NOLINT(bugprone-signed-char-misuse): it is a number */
        }
    }
}

void PLD_KERNEL(int8_rows)(const float *x, int64_t x_row, int64_t rows, int64_t depth, uint32_t *words,
                           int64_t row, float *scales) {
    int8_t numbers[PLD_INT8_DEPTH];
    _Alignas(64) float rotated[PLD_INT8_DEPTH];
    const int64_t filled = (depth + PLD_INT8_STEP - 1) / PLD_INT8_STEP * PLD_INT8_STEP;
    memset(numbers + depth, 0, (size_t)(filled - depth));
    for (int64_t m = 0; m < rows; m++) {
        PLD_COMMON_KERNEL(hadamard)(x + m * x_row, depth, rotated);
        scales[m] = PLD_COMMON_KERNEL(f32_to_int8)(rotated, (size_t)depth, numbers);
        write_words(numbers, filled, words + m * row);
    }
}

/** Two numbers of each word, the first from bit `shift` on, as integers of 16 bits. */
PLD_INLINE ivec two_numbers(ivec four, const int shift) {
    const ivec first = four << (24 - shift) >> 24, second = four << (16 - shift) >> 24;
    return (first & 0xffff) | second << 16;
}

const uint32_t *PLD_KERNEL(int8_panel)(const uint32_t *stored, int64_t quads, uint32_t *room) {
    if (INT8_WORDS == 1) {
        return stored;
    }
    uint32_t *to = room;
    for (int64_t quad = 0; quad < quads;
         quad++, stored += PANEL_COLUMNS, to += 2 * (ptrdiff_t)PANEL_COLUMNS) {
        for (int64_t at = 0; at < PANEL_COLUMNS; at += PLD_LANES) {
            const ivec four = load_integers(stored + at);
            const ivec first = two_numbers(four, 0), second = two_numbers(four, 16);
            memcpy(to + at, &first, sizeof first);
            memcpy(to + PANEL_COLUMNS + at, &second, sizeof second);
        }
    }
    return room;
}
