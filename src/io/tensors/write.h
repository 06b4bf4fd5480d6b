/* SPDX-License-Identifier: Apache-2.0 */
/** Tensors on their way into a file, whatever its format. */
#ifndef PLD_IO_TENSORS_WRITE_H
#define PLD_IO_TENSORS_WRITE_H

#include "core/status.h"
#include "core/tensor.h"
#include "io/files/atomic_file.h"

/** One tensor to be written: `tensor.data` holds its elements, dense. */
typedef struct pld_tensor_entry {
    const char *name;
    pld_tensor tensor;
} pld_tensor_entry;

/** Hand over bytes [first_byte, first_byte + bytes) of the tensor that is entry `index` of the caller's list,
 *  in its type; whole elements are asked for, of types with blocks whole blocks. */
typedef pld_status (*pld_tensor_supplier)(void *user, size_t index, size_t first_byte, size_t bytes,
                                          void *buffer, pld_error *error);

enum { PLD_SUPPLIED_BYTES = 1 << 20 }; /**< most that a supplier is asked for at a time */

/** Where the data of the tensors comes from: `supply`, or their own memory where it is NULL. */
typedef struct pld_tensor_source {
    pld_tensor_supplier supply;
    void *user;
    void *block;                /**< [PLD_SUPPLIED_BYTES] for what is supplied */
    const volatile int *cancel; /**< waiting for the reader of a pipe ends once it is set; may be NULL */
} pld_tensor_source;

/** Bytes of a tensor. PLD_ERROR_ARGUMENT names file and tensor: its shape is impossible, or its rows are no whole blocks. */
pld_status pld_tensor_entry_bytes(const char *path, const pld_tensor_entry *entry, size_t *bytes,
                                  pld_error *error);

/** Append the `bytes` of the data of `entry`, the caller's `index`th. */
pld_status pld_tensor_source_write(const pld_tensor_source *source, pld_atomic_file *file,
                                   const pld_tensor_entry *entry, size_t index, size_t bytes,
                                   pld_error *error);

#endif
