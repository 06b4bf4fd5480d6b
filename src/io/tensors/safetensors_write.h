/* SPDX-License-Identifier: Apache-2.0 */
/** Writing safetensors files: 8 bytes of header length (little endian), a JSON header, then the data without gaps. */
#ifndef PLD_IO_TENSORS_SAFETENSORS_WRITE_H
#define PLD_IO_TENSORS_SAFETENSORS_WRITE_H

#include "io/tensors/write.h"

/** Write `count` tensors, in the given order but those of wide types first (so each lies aligned), and the
 *  metadata pairs key, value, key, value, …, NULL (NULL: none). The file appears whole or not at all. */
pld_status pld_safetensors_write(const char *path, const pld_tensor_entry *entries, size_t count,
                                 const char *const *metadata_pairs, pld_error *error);

/** The same without the data in memory: it is asked of `supply` (NULL: it is in memory) piece by piece,
 *  tensor by tensor. Waiting for the reader of a pipe ends once `*cancel` (may be NULL) is set. */
pld_status pld_safetensors_write_supplied(const char *path, const pld_tensor_entry *entries, size_t count,
                                          const char *const *metadata_pairs, pld_tensor_supplier supply,
                                          void *user, const volatile int *cancel, pld_error *error);

#endif
