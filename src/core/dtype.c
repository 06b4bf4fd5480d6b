/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dtype.h"

#include <stdint.h>
#include <string.h>

static const struct {
    const char *stored;
    const char *text;
    size_t bits;
} dtypes[PLD_DTYPE_COUNT] = {
#define PLD_DTYPE_ROW(name, stored, text, bits) {stored, text, bits},
    PLD_DTYPE_LIST(PLD_DTYPE_ROW)
#undef PLD_DTYPE_ROW
};

size_t pld_dtype_size(pld_dtype dtype) {
    return (dtypes[dtype].bits + 7) / 8;
}

size_t pld_dtype_elements(pld_dtype dtype, size_t bytes) {
    const size_t bits = dtypes[dtype].bits;
    return bytes / bits * 8 + bytes % bits * 8 / bits; /* 8 · bytes might not fit */
}

bool pld_dtype_bytes(pld_dtype dtype, size_t elements, size_t *bytes) {
    const size_t bits = dtypes[dtype].bits;
    if (elements > SIZE_MAX / bits || elements * bits % 8 != 0) {
        return false;
    }
    *bytes = elements * bits / 8;
    return true;
}

const char *pld_dtype_name(pld_dtype dtype) {
    return dtypes[dtype].text;
}

const char *pld_dtype_stored_name(pld_dtype dtype) {
    return dtypes[dtype].stored;
}

bool pld_dtype_is_float(pld_dtype dtype) {
    return dtype <= PLD_DTYPE_F8_E5M2;
}

pld_dtype pld_dtype_from_stored_name(const char *name) {
    for (int i = 0; i < PLD_DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].stored, name) == 0) {
            return (pld_dtype)i;
        }
    }
    return PLD_DTYPE_COUNT;
}
