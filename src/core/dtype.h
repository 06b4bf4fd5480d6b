/* SPDX-License-Identifier: Apache-2.0 */
/** Element types of stored and computed tensors. */
#ifndef PLD_CORE_DTYPE_H
#define PLD_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/** X(name, name in safetensors headers, short name for people, bits of one element). All types that the
 * format has; those that weights may have stand first. */
#define PLD_DTYPE_LIST(X)                                                                                    \
    X(PLD_DTYPE_F32, "F32", "f32", 32)                                                                       \
    X(PLD_DTYPE_F16, "F16", "f16", 16)                                                                       \
    X(PLD_DTYPE_BF16, "BF16", "bf16", 16)                                                                    \
    X(PLD_DTYPE_F64, "F64", "f64", 64)                                                                       \
    X(PLD_DTYPE_F8_E4M3, "F8_E4M3", "f8_e4m3", 8)                                                            \
    X(PLD_DTYPE_F8_E5M2, "F8_E5M2", "f8_e5m2", 8)                                                            \
    X(PLD_DTYPE_I64, "I64", "i64", 64)                                                                       \
    X(PLD_DTYPE_I32, "I32", "i32", 32)                                                                       \
    X(PLD_DTYPE_I16, "I16", "i16", 16)                                                                       \
    X(PLD_DTYPE_I8, "I8", "i8", 8)                                                                           \
    X(PLD_DTYPE_U64, "U64", "u64", 64)                                                                       \
    X(PLD_DTYPE_U32, "U32", "u32", 32)                                                                       \
    X(PLD_DTYPE_U16, "U16", "u16", 16)                                                                       \
    X(PLD_DTYPE_U8, "U8", "u8", 8)                                                                           \
    X(PLD_DTYPE_BOOL, "BOOL", "bool", 8)                                                                     \
    X(PLD_DTYPE_C64, "C64", "c64", 64)                                                                       \
    X(PLD_DTYPE_F8_E8M0, "F8_E8M0", "f8_e8m0", 8)                                                            \
    X(PLD_DTYPE_F8_E4M3FNUZ, "F8_E4M3FNUZ", "f8_e4m3fnuz", 8)                                                \
    X(PLD_DTYPE_F8_E5M2FNUZ, "F8_E5M2FNUZ", "f8_e5m2fnuz", 8)                                                \
    X(PLD_DTYPE_F6_E2M3, "F6_E2M3", "f6_e2m3", 6)                                                            \
    X(PLD_DTYPE_F6_E3M2, "F6_E3M2", "f6_e3m2", 6)                                                            \
    X(PLD_DTYPE_F4, "F4", "f4", 4)

typedef enum pld_dtype {
#define PLD_DTYPE_ENUM(name, stored, text, bytes) name,
    PLD_DTYPE_LIST(PLD_DTYPE_ENUM)
#undef PLD_DTYPE_ENUM
        PLD_DTYPE_COUNT
} pld_dtype;

size_t pld_dtype_size(pld_dtype dtype); /**< bytes of one element; 1 where several share a byte */

/** Elements that lie in `bytes`, where several may share a byte. */
size_t pld_dtype_elements(pld_dtype dtype, size_t bytes);

/** Bytes of `elements`; false when they do not end at the end of a byte, or are too many. */
bool pld_dtype_bytes(pld_dtype dtype, size_t elements, size_t *bytes);

const char *pld_dtype_name(pld_dtype dtype);        /**< "f16" */
const char *pld_dtype_stored_name(pld_dtype dtype); /**< "F16", as in safetensors */

/** Whether weights may have the type. */
bool pld_dtype_is_float(pld_dtype dtype);

/** One element of any of these types, which lies at `element` (need not be aligned), as a number. */
double pld_dtype_value(pld_dtype dtype, const void *element);

/** The type with this safetensors name, or PLD_DTYPE_COUNT. */
pld_dtype pld_dtype_from_stored_name(const char *name);

#endif
