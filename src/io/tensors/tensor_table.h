/* SPDX-License-Identifier: Apache-2.0 */
/** What the header of a file of tensors says, whatever its format: names, types, shapes, places, and metadata. Private to the
 * readers of formats. */
#ifndef PLD_IO_TENSORS_TENSOR_TABLE_H
#define PLD_IO_TENSORS_TENSOR_TABLE_H

#include "io/tensors/tensor_file.h"

enum {
    PLD_TENSOR_NAME_BYTES = 512, /**< the longest names seen are near 150 */
    PLD_MOST_TENSORS = 1 << 16   /**< in one file; SDXL has 2516. A hostile header is refused in a second */
};

typedef struct pld_metadata_pair {
    const char *key;
    const char *value;
} pld_metadata_pair;

typedef struct pld_tensor_table {
    pld_stored_tensor *tensors; /* [count], by offset once finished */
    size_t count;
    const pld_stored_tensor **by_name; /* [count] */
    pld_metadata_pair *metadata;       /* [metadata_count], by key */
    size_t metadata_count;
    char *strings; /* holds every string above */
    size_t strings_used, strings_size;
} pld_tensor_table;

/** Room in an empty table called `path` for so many tensors, pairs and bytes of strings, their ends included. */
pld_status pld_tensor_table_allocate(pld_tensor_table *table, const char *path, size_t tensors, size_t pairs,
                                     size_t string_bytes, pld_error *error);

void pld_tensor_table_free(pld_tensor_table *table);

/** Copy `length` bytes and an end into the table's strings, in which there is room. */
const char *pld_tensor_table_store(pld_tensor_table *table, const char *text, size_t length);

/** Whether a name may stand in messages, tables and file lists: not empty, bounded, and neither ASCII nor C1 control
 * characters. */
pld_status pld_tensor_name_check(const char *path, const char *name, pld_error *error);

/** tensor->bytes of its type and shape; PLD_ERROR_FORMAT when they are more than memory or no whole blocks. */
pld_status pld_stored_tensor_measure(const char *path, pld_stored_tensor *tensor, pld_error *error);

/** Of a finished table: the tensor of this name, or NULL. */
pld_stored_tensor *pld_tensor_table_find(const pld_tensor_table *table, const char *name);

/** Sort what was filled in, and check that no two tensors have one name or share a byte. */
pld_status pld_tensor_table_finish(pld_tensor_table *table, const char *path, pld_error *error);

#endif
