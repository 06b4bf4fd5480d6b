/* SPDX-License-Identifier: Apache-2.0 */
/** Files of named tensors, of any format that io/tensors/formats.h lists. Reading trusts nothing; every rule that a file breaks
 *  is named in the error.
 */
#ifndef PLD_IO_TENSORS_TENSOR_FILE_H
#define PLD_IO_TENSORS_TENSOR_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"
#include "core/tensor.h"

/** An opened file: immutable, shareable between threads. */
typedef struct pld_tensor_file pld_tensor_file;

/** One tensor as the file holds it. Owned by the file. */
typedef struct pld_stored_tensor {
    const char *name; /**< UTF-8, not empty, no control characters */
    pld_dtype dtype;
    int rank;                    /**< 0 is a scalar */
    int64_t shape[PLD_MAX_RANK]; /**< [rank] */
    uint64_t offset;             /**< of the first byte, from the start of the file */
    size_t bytes;                /**< of its elements */
} pld_stored_tensor;

/** Open and check a file. PLD_ERROR_UNSUPPORTED for other formats that are recognised (pickle, HDF5, …). */
pld_status pld_tensor_file_open(const char *path, pld_tensor_file **file, pld_error *error);

/** One more owner of an opened file, who closes it too. Safe from several threads. */
pld_tensor_file *pld_tensor_file_share(pld_tensor_file *file);

/** A file that is not there: the tensors of the JSON `header` [length] with the values of
 * io/tensors/random_weights.h. */
pld_status pld_tensor_file_create_random(const char *header, size_t length, uint64_t data_bytes,
                                         pld_tensor_file **file, pld_error *error);

/** Whether the values are made up. */
bool pld_tensor_file_is_random(const pld_tensor_file *file);

/** Close; `*file` becomes NULL. NULL is accepted. The file itself is closed by its last owner. */
void pld_tensor_file_close(pld_tensor_file **file);

/** "safetensors", "GGUF" */
const char *pld_tensor_file_format(const pld_tensor_file *file);

const char *pld_tensor_file_path(const pld_tensor_file *file);

size_t pld_tensor_file_count(const pld_tensor_file *file);

/** The tensors in the order of their data; NULL past the end. */
const pld_stored_tensor *pld_tensor_file_at(const pld_tensor_file *file, size_t index);

/** The tensor of this name, or NULL. */
const pld_stored_tensor *pld_tensor_file_find(const pld_tensor_file *file, const char *name);

/** The `__metadata__` strings, sorted by key. They are text from a stranger: control characters included. */
size_t pld_tensor_file_metadata_count(const pld_tensor_file *file);
const char *pld_tensor_file_metadata_key(const pld_tensor_file *file, size_t index);
const char *pld_tensor_file_metadata_value(const pld_tensor_file *file, size_t index);
const char *pld_tensor_file_metadata_find(const pld_tensor_file *file, const char *key); /**< or NULL */

/** Copy bytes [first_byte, first_byte + bytes) of a tensor of this file, in its stored type, to
 * `destination`. A file that has been cut short since it was opened is PLD_ERROR_IO. Safe from several
 * threads. */
pld_status pld_tensor_file_read(const pld_tensor_file *file, const pld_stored_tensor *tensor,
                                size_t first_byte, size_t bytes, void *destination, pld_error *error);

/** PLD_ERROR_IO naming the tensor where the file is no longer as it was opened (pld_mapping_check); random values never change. */
pld_status pld_tensor_file_check(const pld_tensor_file *file, const pld_stored_tensor *tensor,
                                 pld_error *error);

/** Tell the system that bytes of a tensor will be read soon. */
void pld_tensor_file_expect(const pld_tensor_file *file, const pld_stored_tensor *tensor, size_t first_byte,
                            size_t bytes);

#endif
