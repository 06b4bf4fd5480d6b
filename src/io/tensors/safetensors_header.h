/* SPDX-License-Identifier: Apache-2.0 */
/** The JSON header of a safetensors file, checked against every rule of the format. Private to
 * safetensors*.c. */
#ifndef PLD_IO_TENSORS_SAFETENSORS_HEADER_H
#define PLD_IO_TENSORS_SAFETENSORS_HEADER_H

#include "io/tensors/safetensors.h"

typedef struct pld_metadata_pair {
    const char *key;
    const char *value;
} pld_metadata_pair;

typedef struct pld_safetensors_header {
    pld_stored_tensor *tensors; /* [count], by offset */
    size_t count;
    const pld_stored_tensor **by_name; /* [count] */
    pld_metadata_pair *metadata;       /* [metadata_count], by key */
    size_t metadata_count;
    char *strings; /* holds every string above */
    size_t strings_used;
} pld_safetensors_header;

/** Parse and check. Data of `data_size` bytes begins at byte `data_begin` of the file called `path`. On
 *  failure `header` holds nothing. */
pld_status pld_safetensors_header_parse(const char *json, size_t length, uint64_t data_begin,
                                        uint64_t data_size, const char *path, pld_safetensors_header *header,
                                        pld_error *error);

void pld_safetensors_header_free(pld_safetensors_header *header);

/** What a file that is no safetensors file seems to be, from its first `size` bytes. The text completes
 * "found …" and carries the remedy; NULL when it is not recognised. */
const char *pld_recognise_foreign_file(const uint8_t *start, size_t size);

#endif
