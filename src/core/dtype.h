/* SPDX-License-Identifier: Apache-2.0 */
/** Element types of stored and computed tensors. */
#ifndef PLD_CORE_DTYPE_H
#define PLD_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/** X(name, name in the headers of files, short name for people, elements of a block, bytes of a block). All types that
 * safetensors has, and those of GGUF whose blocks have scales of their own; those that weights may have stand first. */
#define PLD_DTYPE_LIST(X)                                                                                    \
    X(PLD_DTYPE_F32, "F32", "f32", 1, 4)                                                                     \
    X(PLD_DTYPE_F16, "F16", "f16", 1, 2)                                                                     \
    X(PLD_DTYPE_BF16, "BF16", "bf16", 1, 2)                                                                  \
    X(PLD_DTYPE_F64, "F64", "f64", 1, 8)                                                                     \
    X(PLD_DTYPE_F8_E4M3, "F8_E4M3", "f8_e4m3", 1, 1)                                                         \
    X(PLD_DTYPE_F8_E5M2, "F8_E5M2", "f8_e5m2", 1, 1)                                                         \
    X(PLD_DTYPE_Q8_0, "Q8_0", "q8_0", 32, 34)                                                                \
    X(PLD_DTYPE_Q4_0, "Q4_0", "q4_0", 32, 18)                                                                \
    X(PLD_DTYPE_Q4_1, "Q4_1", "q4_1", 32, 20)                                                                \
    X(PLD_DTYPE_Q5_0, "Q5_0", "q5_0", 32, 22)                                                                \
    X(PLD_DTYPE_Q5_1, "Q5_1", "q5_1", 32, 24)                                                                \
    X(PLD_DTYPE_Q2_K, "Q2_K", "q2_k", 256, 84)                                                               \
    X(PLD_DTYPE_Q3_K, "Q3_K", "q3_k", 256, 110)                                                              \
    X(PLD_DTYPE_Q4_K, "Q4_K", "q4_k", 256, 144)                                                              \
    X(PLD_DTYPE_Q5_K, "Q5_K", "q5_k", 256, 176)                                                              \
    X(PLD_DTYPE_Q6_K, "Q6_K", "q6_k", 256, 210)                                                              \
    X(PLD_DTYPE_IQ4_NL, "IQ4_NL", "iq4_nl", 32, 18)                                                          \
    X(PLD_DTYPE_I64, "I64", "i64", 1, 8)                                                                     \
    X(PLD_DTYPE_I32, "I32", "i32", 1, 4)                                                                     \
    X(PLD_DTYPE_I16, "I16", "i16", 1, 2)                                                                     \
    X(PLD_DTYPE_I8, "I8", "i8", 1, 1)                                                                        \
    X(PLD_DTYPE_U64, "U64", "u64", 1, 8)                                                                     \
    X(PLD_DTYPE_U32, "U32", "u32", 1, 4)                                                                     \
    X(PLD_DTYPE_U16, "U16", "u16", 1, 2)                                                                     \
    X(PLD_DTYPE_U8, "U8", "u8", 1, 1)                                                                        \
    X(PLD_DTYPE_BOOL, "BOOL", "bool", 1, 1)                                                                  \
    X(PLD_DTYPE_C64, "C64", "c64", 1, 8)                                                                     \
    X(PLD_DTYPE_F8_E8M0, "F8_E8M0", "f8_e8m0", 1, 1)                                                         \
    X(PLD_DTYPE_F8_E4M3FNUZ, "F8_E4M3FNUZ", "f8_e4m3fnuz", 1, 1)                                             \
    X(PLD_DTYPE_F8_E5M2FNUZ, "F8_E5M2FNUZ", "f8_e5m2fnuz", 1, 1)                                             \
    X(PLD_DTYPE_F6_E2M3, "F6_E2M3", "f6_e2m3", 4, 3)                                                         \
    X(PLD_DTYPE_F6_E3M2, "F6_E3M2", "f6_e3m2", 4, 3)                                                         \
    X(PLD_DTYPE_F4, "F4", "f4", 2, 1)

typedef enum pld_dtype {
#define PLD_DTYPE_ENUM(name, stored, text, elements, bytes) name,
    PLD_DTYPE_LIST(PLD_DTYPE_ENUM)
#undef PLD_DTYPE_ENUM
        PLD_DTYPE_COUNT
} pld_dtype;

/** Elements that are stored together, one after the other: 1, or those of a block that has no smaller part. */
size_t pld_dtype_block(pld_dtype dtype);
/** Bytes of such a block: of one element of most types. */
size_t pld_dtype_size(pld_dtype dtype);

/** Elements that lie in `bytes`. */
size_t pld_dtype_elements(pld_dtype dtype, size_t bytes);

/** Bytes of `elements`; false when they are no whole blocks, or too many. */
bool pld_dtype_bytes(pld_dtype dtype, size_t elements, size_t *bytes);

const char *pld_dtype_name(pld_dtype dtype);        /**< "f16" */
const char *pld_dtype_stored_name(pld_dtype dtype); /**< "F16", as in safetensors */

/** Whether weights may have the type. */
bool pld_dtype_is_float(pld_dtype dtype);

/** Whether it is one of 8 bits that weights may have. */
bool pld_dtype_is_f8(pld_dtype dtype);

/** Whether it is one of GGUF's, whose blocks have scales of their own. */
bool pld_dtype_is_quantised(pld_dtype dtype);

/** One element of a type whose blocks are one, which lies at `element` (need not be aligned), as a number. */
double pld_dtype_value(pld_dtype dtype, const void *element);

/** The type with this name in safetensors, or PLD_DTYPE_COUNT. */
pld_dtype pld_dtype_from_stored_name(const char *name);

#endif
