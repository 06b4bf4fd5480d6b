/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const struct {
    const char *stored;
    const char *text;
    size_t elements, bytes; /* of a block */
} dtypes[PLD_DTYPE_COUNT] = {
#define PLD_DTYPE_ROW(name, stored, text, elements, bytes) {stored, text, elements, bytes},
    PLD_DTYPE_LIST(PLD_DTYPE_ROW)
#undef PLD_DTYPE_ROW
};

size_t pld_dtype_block(pld_dtype dtype) {
    return dtypes[dtype].elements;
}

size_t pld_dtype_size(pld_dtype dtype) {
    return dtypes[dtype].bytes;
}

size_t pld_dtype_elements(pld_dtype dtype, size_t bytes) {
    return bytes / dtypes[dtype].bytes * dtypes[dtype].elements;
}

bool pld_dtype_bytes(pld_dtype dtype, size_t elements, size_t *bytes) {
    const size_t block = dtypes[dtype].elements, size = dtypes[dtype].bytes;
    if (elements % block != 0 || elements / block > SIZE_MAX / size) {
        return false;
    }
    *bytes = elements / block * size;
    return true;
}

const char *pld_dtype_name(pld_dtype dtype) {
    return dtypes[dtype].text;
}

const char *pld_dtype_stored_name(pld_dtype dtype) {
    return dtypes[dtype].stored;
}

bool pld_dtype_is_float(pld_dtype dtype) {
    return dtype <= PLD_DTYPE_IQ4_NL;
}

bool pld_dtype_is_f8(pld_dtype dtype) {
    return dtype == PLD_DTYPE_F8_E4M3 || dtype == PLD_DTYPE_F8_E5M2;
}

bool pld_dtype_is_quantised(pld_dtype dtype) {
    return dtype >= PLD_DTYPE_Q8_0 && dtype <= PLD_DTYPE_IQ4_NL;
}

/** A floating-point number of `exponent_bits` and `fraction_bits` below its sign. With `finite` all exponents
 *  are numbers and only the largest pattern is none (the "fn" of e4m3). */
static double small_float(unsigned bits, int exponent_bits, int fraction_bits, bool finite) {
    const int most = (1 << exponent_bits) - 1;
    const int exponent = (int)(bits >> fraction_bits) & most;
    const int fraction = (int)(bits & ((1U << fraction_bits) - 1));
    const int lowest = 2 - (1 << (exponent_bits - 1)) - fraction_bits; /* of the smallest number above zero */
    const bool none = finite ? fraction == (1 << fraction_bits) - 1 : fraction != 0;
    double value =
        exponent ? ldexp((1 << fraction_bits) + fraction, exponent - 1 + lowest) : ldexp(fraction, lowest);
    if (exponent == most && none) {
        value = NAN;
    } else if (exponent == most && !finite) {
        value = INFINITY;
    }
    return bits >> (exponent_bits + fraction_bits) & 1 ? -value : value;
}

double pld_dtype_value(pld_dtype dtype, const void *element) {
    union {
        float f32;
        double f64;
        int64_t i64;
        int32_t i32;
        int16_t i16;
        int8_t i8;
        uint64_t u64;
        uint32_t u32;
        uint16_t u16;
        uint8_t u8;
    } value = {0};
    if (dtypes[dtype].elements > 1) {
        return NAN;
    }
    memcpy(&value, element, pld_dtype_size(dtype));
    switch (dtype) {
    case PLD_DTYPE_F32:
        return value.f32;
    case PLD_DTYPE_F16:
        return small_float(value.u16, 5, 10, false);
    case PLD_DTYPE_BF16:
        return small_float(value.u16, 8, 7, false);
    case PLD_DTYPE_F64:
        return value.f64;
    case PLD_DTYPE_F8_E4M3:
        return small_float(value.u8, 4, 3, true);
    case PLD_DTYPE_F8_E5M2:
        return small_float(value.u8, 5, 2, false);
    case PLD_DTYPE_I64:
        return (double)value.i64;
    case PLD_DTYPE_I32:
        return value.i32;
    case PLD_DTYPE_I16:
        return value.i16;
    case PLD_DTYPE_I8:
        return value.i8;
    case PLD_DTYPE_U64:
        return (double)value.u64;
    case PLD_DTYPE_U32:
        return value.u32;
    case PLD_DTYPE_U16:
        return value.u16;
    case PLD_DTYPE_U8:
    case PLD_DTYPE_BOOL:
        return value.u8;
    default:
        return NAN;
    }
}

pld_dtype pld_dtype_from_stored_name(const char *name) {
    for (int i = 0; i < PLD_DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].stored, name) == 0 && !pld_dtype_is_quantised((pld_dtype)i)) {
            return (pld_dtype)i;
        }
    }
    return PLD_DTYPE_COUNT;
}
