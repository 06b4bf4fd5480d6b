/* SPDX-License-Identifier: Apache-2.0 */
/** Where Winograd's F(4×4, 3×3) in float32 is the faster way to compute a 3×3 convolution, measured by
 * `pladis bench tune`. It multiplies a quarter as often as a direct convolution, but transforms its weights,
 * four times as many, in each run: what decides is for how many tiles of 4×4 pixels. The table is read, never
 * measured, when pictures are drawn, so that the same run gives the same bytes. */
#include "backends/cpu/product.h"
#include "kernels/cuts.h"

/* Tiles of a picture from which on it is faster than a direct convolution of the type; 0: never. Never where products of
 * bfloat16 are eight times as fast as those of float32. Emulated ones are no faster. 8-bit integers are twice as fast as float32
 * with AVX2, which is less than Winograd saves, and about four times with VNNI, which is as much; there it is not measured. */
static const int64_t table[PLD_ISA_COUNT][PLD_PRODUCT_TYPES] = {
    [PLD_ISA_SCALAR] = {1, 0, 0}, [PLD_ISA_AVX2] = {1, 0, 1},       [PLD_ISA_AVXVNNI] = {1, 0, 0},
    [PLD_ISA_AVX512] = {1, 0, 1}, [PLD_ISA_AVX512VNNI] = {1, 0, 0}, [PLD_ISA_AVX512BF16] = {1, 16, 0},
    [PLD_ISA_AMX] = {1, 0, 0},
};

int64_t pld_winograd_tiles(int64_t height, int64_t width) {
    return pld_parts(height, PLD_WINOGRAD_OUT) * pld_parts(width, PLD_WINOGRAD_OUT);
}

bool pld_winograd_is_faster(pld_isa isa, pld_product_type type, int64_t height, int64_t width) {
    const int64_t fewest = table[isa][type];
    return fewest > 0 && pld_winograd_tiles(height, width) >= fewest;
}
