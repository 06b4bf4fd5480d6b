/* SPDX-License-Identifier: Apache-2.0 */
/** Formats of files of tensors: a row for each. Private to tensor_file.c and the readers. */
#ifndef PLD_IO_TENSORS_FORMATS_H
#define PLD_IO_TENSORS_FORMATS_H

#include "core/mapping.h"
#include "io/tensors/tensor_table.h"

typedef struct pld_tensor_format {
    const char *name; /**< "GGUF" */
    /** Whether a file with these first bytes means to be of this format. */
    bool (*recognise)(const uint8_t *start, size_t size);
    /** Read and check the header. On failure the caller frees the table. */
    pld_status (*read)(const pld_mapping *source, pld_tensor_table *table, pld_error *error);
} pld_tensor_format;

extern const pld_tensor_format pld_format_gguf;
/** Stands last: what is of no format is told by its reader. */
extern const pld_tensor_format pld_format_safetensors;

/** Parse and check the JSON header of a safetensors file. Data of `data_size` bytes begins at byte `data_begin` of the file
 * called `path`. On failure `table` holds nothing. */
pld_status pld_safetensors_header_parse(const char *json, size_t length, uint64_t data_begin,
                                        uint64_t data_size, const char *path, pld_tensor_table *table,
                                        pld_error *error);

/** What a file that is of no format here seems to be, from its first `size` bytes. The text completes "found …" and carries
 * the remedy; NULL when it is not recognised. */
const char *pld_recognise_foreign_file(const uint8_t *start, size_t size);

#endif
