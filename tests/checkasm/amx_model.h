/* SPDX-License-Identifier: Apache-2.0 */
/** The intrinsics of AMX that the kernels use, in plain C by Intel's description of them (Software
 * Developer's Manual: LDTILECFG, TILEZERO, TILELOADD, TILESTORED, TDPBF16PS, TDPBSSD, TILERELEASE). With this header
 * the code written for the instructions is tested where no CPU has them. A tile that no configuration gives
 * rows is an error there, and ends the test here. The registers are those of a source file and a thread: no
 * kernel leaves anything in them for another file. */
#ifndef PLD_TESTS_AMX_MODEL_H
#define PLD_TESTS_AMX_MODEL_H

#include "avx512bf16_model.h"

#define PLD_INT8_TILES 1

enum { MODEL_TILES = 8, MODEL_ROWS = 16, MODEL_WORDS = 16 };

typedef struct model_tile {
    int rows, words; /* words of a row */
    uint32_t at[MODEL_ROWS][MODEL_WORDS];
} model_tile;

static _Thread_local model_tile model_tiles[MODEL_TILES];

static inline model_tile *model_tile_of(int number) {
    model_tile *tile = &model_tiles[number];
    if (tile->rows == 0) {
        __builtin_trap();
    }
    return tile;
}

static inline void model_release(void) {
    memset(model_tiles, 0, sizeof model_tiles);
}

static inline void model_loadconfig(const void *config) {
    const uint8_t *bytes = config;
    model_release();
    for (int i = 0; i < MODEL_TILES; i++) {
        model_tiles[i].rows = bytes[48 + i];
        model_tiles[i].words = (bytes[16 + 2 * i] | bytes[17 + 2 * i] << 8) / 4;
    }
}

static inline void model_zero(int number) {
    model_tile *tile = model_tile_of(number);
    memset(tile->at, 0, sizeof tile->at);
}

static inline void model_load(int number, const void *from, int64_t stride) {
    model_tile *tile = model_tile_of(number);
    memset(tile->at, 0, sizeof tile->at);
    for (int row = 0; row < tile->rows; row++) {
        memcpy(tile->at[row], (const char *)from + row * stride, (size_t)tile->words * 4);
    }
}

static inline void model_store(int number, void *to, int64_t stride) {
    const model_tile *tile = model_tile_of(number);
    for (int row = 0; row < tile->rows; row++) {
        memcpy((char *)to + row * stride, tile->at[row], (size_t)tile->words * 4);
    }
}

/** sum + a's number of a pair · b's: subnormal operands and results are zeros. */
static inline float model_add(float sum, uint32_t a, uint32_t b) {
    const float product = model_number(a) * model_number(b);
    return model_number(model_bits(product + model_number(model_bits(sum))));
}

static inline void model_products(int c_number, int a_number, int b_number) {
    model_tile *c = model_tile_of(c_number);
    const model_tile *a = model_tile_of(a_number), *b = model_tile_of(b_number);
    for (int m = 0; m < c->rows; m++) {
        for (int k = 0; k < a->words; k++) {
            for (int n = 0; n < c->words; n++) {
                float sum;
                memcpy(&sum, &c->at[m][n], sizeof sum);
                sum = model_add(sum, a->at[m][k] << 16, b->at[k][n] << 16);
                sum = model_add(sum, a->at[m][k] & 0xffff0000U, b->at[k][n] & 0xffff0000U);
                memcpy(&c->at[m][n], &sum, sizeof sum);
            }
        }
    }
}

static inline void model_integer_products(int c_number, int a_number, int b_number) {
    model_tile *c = model_tile_of(c_number);
    const model_tile *a = model_tile_of(a_number), *b = model_tile_of(b_number);
    for (int m = 0; m < c->rows; m++) {
        for (int k = 0; k < a->words; k++) {
            for (int n = 0; n < c->words; n++) {
                for (int byte = 0; byte < 32; byte += 8) {
                    const int32_t x = (int8_t)(a->at[m][k] >> byte), y = (int8_t)(b->at[k][n] >> byte);
                    c->at[m][n] += (uint32_t)(x * y);
                }
            }
        }
    }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbssd
#define _tile_loadconfig model_loadconfig
#define _tile_release    model_release
#define _tile_zero       model_zero
#define _tile_loadd      model_load
#define _tile_stored     model_store
#define _tile_dpbf16ps   model_products
#define _tile_dpbssd     model_integer_products

#endif
