/* SPDX-License-Identifier: Apache-2.0 */
/** What readers and writers of GGUF share: its numbers for types, and its bounds. Private to gguf*.c. */
#ifndef PLD_IO_TENSORS_GGUF_TYPES_H
#define PLD_IO_TENSORS_GGUF_TYPES_H

#include <stdint.h>

#include "core/dtype.h"

enum {
    PLD_GGUF_DIMENSIONS = 4, /**< most that a tensor has there */
    PLD_GGUF_ALIGNMENT = 32  /**< where a file says nothing of it, and in those that are written */
};

/** Before the name of a tensor: the key whose value is the shape that it had before it was written as other rows. */
#define PLD_GGUF_ORIGINAL_SHAPE "comfy.gguf.orig_shape."

/** Types of values. */
typedef enum pld_gguf_value {
    PLD_GGUF_U8,
    PLD_GGUF_I8,
    PLD_GGUF_U16,
    PLD_GGUF_I16,
    PLD_GGUF_U32,
    PLD_GGUF_I32,
    PLD_GGUF_F32,
    PLD_GGUF_BOOL,
    PLD_GGUF_STRING,
    PLD_GGUF_ARRAY,
    PLD_GGUF_U64,
    PLD_GGUF_I64,
    PLD_GGUF_F64,
    PLD_GGUF_COUNT
} pld_gguf_value;

/** The type of tensors with this number; PLD_DTYPE_COUNT: it is not read, and `*name` is what it is called, or NULL where it
 * is not known. */
pld_dtype pld_gguf_type_dtype(uint64_t number, const char **name);

/** The number of a type; false: GGUF has none. */
bool pld_gguf_type_number(pld_dtype dtype, uint32_t *number);

#endif
