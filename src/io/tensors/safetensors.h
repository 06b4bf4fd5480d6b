/* SPDX-License-Identifier: Apache-2.0 */
/** Files of named tensors in the safetensors format: 8 bytes of header length (little endian), a JSON header,
 *  then the data without gaps. Reading trusts nothing; every rule that a file breaks is named in the error.
 */
#ifndef PLD_IO_TENSORS_SAFETENSORS_H
#define PLD_IO_TENSORS_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"
#include "core/tensor.h"

/** An opened file: immutable, shareable between threads. */
typedef struct pld_safetensors pld_safetensors;

/** One tensor as the file holds it. Owned by the file. */
typedef struct pld_stored_tensor {
    const char *name; /**< UTF-8, not empty, no control characters */
    pld_dtype dtype;
    int rank;                    /**< 0 is a scalar */
    int64_t shape[PLD_MAX_RANK]; /**< [rank] */
    uint64_t offset;             /**< of the first byte, from the start of the file */
    size_t bytes;                /**< elements times the size of the type */
} pld_stored_tensor;

/** Open and check a file. PLD_ERROR_UNSUPPORTED for other formats that are recognised (pickle, GGUF, …). */
pld_status pld_safetensors_open(const char *path, pld_safetensors **file, pld_error *error);

/** One more owner of an opened file, who closes it too. Safe from several threads. */
pld_safetensors *pld_safetensors_share(pld_safetensors *file);

/** A file that is not there: the tensors of the JSON `header` [length] with the values of
 * io/tensors/random_weights.h. */
pld_status pld_safetensors_create_random(const char *header, size_t length, uint64_t data_bytes,
                                         pld_safetensors **file, pld_error *error);

/** Whether the values are made up. */
bool pld_safetensors_is_random(const pld_safetensors *file);

/** Close; `*file` becomes NULL. NULL is accepted. The file itself is closed by its last owner. */
void pld_safetensors_close(pld_safetensors **file);

const char *pld_safetensors_path(const pld_safetensors *file);

size_t pld_safetensors_count(const pld_safetensors *file);

/** The tensors in the order of their data; NULL past the end. */
const pld_stored_tensor *pld_safetensors_at(const pld_safetensors *file, size_t index);

/** The tensor of this name, or NULL. */
const pld_stored_tensor *pld_safetensors_find(const pld_safetensors *file, const char *name);

/** The `__metadata__` strings, sorted by key. They are text from a stranger: control characters included. */
size_t pld_safetensors_metadata_count(const pld_safetensors *file);
const char *pld_safetensors_metadata_key(const pld_safetensors *file, size_t index);
const char *pld_safetensors_metadata_value(const pld_safetensors *file, size_t index);
const char *pld_safetensors_metadata_find(const pld_safetensors *file, const char *key); /**< or NULL */

/** Copy bytes [first_byte, first_byte + bytes) of a tensor of this file, in its stored type, to
 * `destination`. A file that has been cut short since it was opened is PLD_ERROR_IO. Safe from several
 * threads. */
pld_status pld_safetensors_read(const pld_safetensors *file, const pld_stored_tensor *tensor,
                                size_t first_byte, size_t bytes, void *destination, pld_error *error);

/** One tensor to be written: `tensor.data` holds its elements, dense. */
typedef struct pld_tensor_entry {
    const char *name;
    pld_tensor tensor;
} pld_tensor_entry;

/** Write `count` tensors, in the given order but those of wide types first (so each lies aligned), and the
 *  metadata pairs key, value, key, value, …, NULL (NULL: none). The file appears whole or not at all. */
pld_status pld_safetensors_write(const char *path, const pld_tensor_entry *entries, size_t count,
                                 const char *const *metadata_pairs, pld_error *error);

/** Hand over bytes [first_byte, first_byte + bytes) of the tensor that is entry `index` of the caller's list,
 *  in its type; whole elements are asked for. */
typedef pld_status (*pld_tensor_supplier)(void *user, size_t index, size_t first_byte, size_t bytes,
                                          void *buffer, pld_error *error);

/** The same without the data in memory: it is asked of `supply` (NULL: it is in memory) piece by piece,
 *  tensor by tensor. Waiting for the reader of a pipe ends once `*cancel` (may be NULL) is set. */
pld_status pld_safetensors_write_supplied(const char *path, const pld_tensor_entry *entries, size_t count,
                                          const char *const *metadata_pairs, pld_tensor_supplier supply,
                                          void *user, const volatile int *cancel, pld_error *error);

#endif
