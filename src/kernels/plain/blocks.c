/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of quantised weights to float32, as GGUF stores them (github.com/ggml-org/ggml). A block of 32 has a scale d, and
 * where it is not symmetric a least value m, both float16. A block of 256 ("K") has parts of 16 or 32 whose scales are small
 * whole numbers, times a float16. Numbers of fewer than 8 bits lie so that one mask gives a row of neighbours. */
#include "kernels/plain/half_bits.h"
#include "kernels/table.h"

enum { SMALL = 32, HALF_SMALL = SMALL / 2, LARGE = 256 };

void PLD_KERNEL(q8_0_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 2 + SMALL) {
        const float d = half_at(block);
        for (size_t j = 0; j < SMALL; j++) {
            out[i + j] = d * (float)(int8_t)block[2 + j];
        }
    }
}

void PLD_KERNEL(f32_to_q8_0)(const float *in, size_t count, void *out) {
    uint8_t *block = out;
    for (size_t i = 0; i < count; i += SMALL, block += 2 + SMALL) {
        float largest = 0;
        for (size_t j = 0; j < SMALL; j++) {
            const float size = in[i + j] < 0 ? -in[i + j] : in[i + j];
            largest = size > largest ? size : largest;
        }
        const uint16_t bits = half_bits(largest / 127);
        store_u16(block, 0, bits);
        const float d = half_at(block), inverse = d > 0 ? 1 / d : 0;
        for (size_t j = 0; j < SMALL; j++) {
            const float scaled = in[i + j] * inverse; /* d may have been rounded down */
            const float bounded = scaled > 127 ? 127 : scaled < -127 ? -127 : scaled;
            block[2 + j] = (uint8_t)(int8_t)(int32_t)(bounded + (bounded < 0 ? -0.5F : 0.5F));
        }
    }
}

/** Nibbles of 16 bytes: the low ones are the first 16 numbers. out = d·(nibble + high bit·16) + m; `bits` has the high ones. */
static inline void nibbles(const uint8_t *bytes, uint32_t bits, float d, float m, float *out) {
    for (size_t j = 0; j < HALF_SMALL; j++) {
        const uint32_t low = (bytes[j] & 15U) | (bits >> j & 1U) << 4;
        const uint32_t high = (uint32_t)bytes[j] >> 4 | (bits >> (j + HALF_SMALL) & 1U) << 4;
        out[j] = d * (float)(int32_t)low + m;
        out[j + HALF_SMALL] = d * (float)(int32_t)high + m;
    }
}

void PLD_KERNEL(q4_0_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 2 + HALF_SMALL) {
        const float d = half_at(block);
        nibbles(block + 2, 0, d, -8 * d, out + i);
    }
}

void PLD_KERNEL(q4_1_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 4 + HALF_SMALL) {
        nibbles(block + 4, 0, half_at(block), half_at(block + 2), out + i);
    }
}

static inline uint32_t load_u32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void PLD_KERNEL(q5_0_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 6 + HALF_SMALL) {
        const float d = half_at(block);
        nibbles(block + 6, load_u32(block + 2), d, -16 * d, out + i);
    }
}

void PLD_KERNEL(q5_1_to_f32)(const void *in, size_t count, float *out) {
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 8 + HALF_SMALL) {
        nibbles(block + 8, load_u32(block + 4), half_at(block), half_at(block + 2), out + i);
    }
}

void PLD_KERNEL(iq4_nl_to_f32)(const void *in, size_t count, float *out) {
    static const int8_t levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += SMALL, block += 2 + HALF_SMALL) {
        const float d = half_at(block);
        for (size_t j = 0; j < HALF_SMALL; j++) {
            out[i + j] = d * (float)levels[block[2 + j] & 15];
            out[i + HALF_SMALL + j] = d * (float)levels[block[2 + j] >> 4];
        }
    }
}

/** Parts of 16: a byte for each, its scale below and its least value above; numbers of 2 bits, four in a byte, 32 bytes apart
 * from the next 128. */
void PLD_KERNEL(q2_k_to_f32)(const void *in, size_t count, float *out) {
    enum { SCALES = 16, BYTES = SCALES + LARGE / 4 + 4 };
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += LARGE, block += BYTES) {
        const float d = half_at(block + BYTES - 4), least = half_at(block + BYTES - 2);
        for (size_t part = 0; part < 16; part++) {
            const uint8_t *bytes = block + SCALES + part / 8 * 32 + part % 2 * 16;
            const size_t shift = part / 2 % 4 * 2;
            const float scale = d * (float)(block[part] & 15), m = least * (float)(block[part] >> 4);
            for (size_t j = 0; j < 16; j++) {
                out[i + 16 * part + j] = scale * (float)(bytes[j] >> shift & 3) - m;
            }
        }
    }
}

/** Parts of 16 with scales of 6 bits less 32: 4 bits of them in 8 bytes, 2 in 4 more. Numbers of 2 bits as in Q2_K, and a bit
 * of its own for each, in 32 bytes: without it 4 less. */
void PLD_KERNEL(q3_k_to_f32)(const void *in, size_t count, float *out) {
    enum { HIGH = 32, SCALES = HIGH + LARGE / 4, BYTES = SCALES + 12 + 2 };
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += LARGE, block += BYTES) {
        const uint8_t *scales = block + SCALES;
        const float d = half_at(block + BYTES - 2);
        for (size_t part = 0; part < 16; part++) {
            const int low = part < 8 ? scales[part] & 15 : scales[part - 8] >> 4;
            const int high = scales[8 + part % 4] >> (part / 4 * 2) & 3;
            const float scale = d * (float)((low | high << 4) - 32);
            const uint8_t *bytes = block + HIGH + part / 8 * 32 + part % 2 * 16,
                          *bits = block + part % 2 * 16;
            const size_t shift = part / 2 % 4 * 2, bit = part / 2;
            for (size_t j = 0; j < 16; j++) {
                const int number = (bytes[j] >> shift & 3) - 4 * (1 - (bits[j] >> bit & 1));
                out[i + 16 * part + j] = scale * (float)number;
            }
        }
    }
}

/** Scale and least value of part `part` of 32 in Q4_K and Q5_K: 6 bits each, in 12 bytes. */
static inline void scale_and_least(const uint8_t *bytes, size_t part, float d, float least, float *scale,
                                   float *m) {
    const int scale_bits = part < 4 ? bytes[part] & 63 : (bytes[part + 4] & 15) | (bytes[part - 4] >> 6) << 4;
    const int least_bits = part < 4 ? bytes[part + 4] & 63 : bytes[part + 4] >> 4 | (bytes[part] >> 6) << 4;
    *scale = d * (float)scale_bits;
    *m = least * (float)least_bits;
}

void PLD_KERNEL(q4_k_to_f32)(const void *in, size_t count, float *out) {
    enum { SCALES = 4, NUMBERS = SCALES + 12, BYTES = NUMBERS + LARGE / 2 };
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += LARGE, block += BYTES) {
        const float d = half_at(block), least = half_at(block + 2);
        for (size_t part = 0; part < 8; part++) {
            float scale, m;
            const uint8_t *bytes = block + NUMBERS + part / 2 * 32;
            const size_t shift = part % 2 * 4;
            scale_and_least(block + SCALES, part, d, least, &scale, &m);
            for (size_t j = 0; j < 32; j++) {
                out[i + 32 * part + j] = scale * (float)(bytes[j] >> shift & 15) - m;
            }
        }
    }
}

/** As Q4_K, and a fifth bit of each number in 32 bytes: bit `part` of byte j. */
void PLD_KERNEL(q5_k_to_f32)(const void *in, size_t count, float *out) {
    enum { SCALES = 4, HIGH = SCALES + 12, NUMBERS = HIGH + 32, BYTES = NUMBERS + LARGE / 2 };
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += LARGE, block += BYTES) {
        const float d = half_at(block), least = half_at(block + 2);
        for (size_t part = 0; part < 8; part++) {
            float scale, m;
            const uint8_t *bytes = block + NUMBERS + part / 2 * 32, *bits = block + HIGH;
            const size_t shift = part % 2 * 4;
            scale_and_least(block + SCALES, part, d, least, &scale, &m);
            for (size_t j = 0; j < 32; j++) {
                const int number = (bytes[j] >> shift & 15) | (bits[j] >> part & 1) << 4;
                out[i + 32 * part + j] = scale * (float)number - m;
            }
        }
    }
}

/** Parts of 16 with scales of 8 bits; numbers of 6 bits less 32, of which 4 lie as in Q4_K's, 64 bytes for 128 numbers, and 2
 * in 32 bytes more. */
void PLD_KERNEL(q6_k_to_f32)(const void *in, size_t count, float *out) {
    enum { HIGH = LARGE / 2, SCALES = HIGH + LARGE / 4, BYTES = SCALES + 16 + 2 };
    const uint8_t *block = in;
    for (size_t i = 0; i < count; i += LARGE, block += BYTES) {
        const float d = half_at(block + BYTES - 2);
        for (size_t part = 0; part < 16; part++) {
            const size_t half = part / 8, quarter = part % 8 / 2, side = part % 2 * 16;
            const uint8_t *bytes = block + 64 * half + quarter % 2 * 32 + side;
            const uint8_t *bits = block + HIGH + 32 * half + side;
            const size_t shift = quarter / 2 * 4;
            const float scale = d * (float)(int8_t)block[SCALES + part];
            for (size_t j = 0; j < 16; j++) {
                const int number = (bytes[j] >> shift & 15) | (bits[j] >> (2 * quarter) & 3) << 4;
                out[i + 16 * part + j] = scale * (float)(number - 32);
            }
        }
    }
}
