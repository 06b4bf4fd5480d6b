/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by weight_files*.c only. */
#ifndef PLD_IO_TENSORS_WEIGHT_FILES_INTERNAL_H
#define PLD_IO_TENSORS_WEIGHT_FILES_INTERNAL_H

#include "io/tensors/weight_files.h"

struct pld_weight_files {
    pld_tensor_file **files; /* [file_count] */
    size_t file_count;
    pld_weight *weights; /* [count], file by file */
    pld_weight *by_name; /* [count] */
    size_t count;
    char *variant;
    pld_stored_tensor *aliases; /* [count] of a view, with its names in alias_names; else NULL */
    char *alias_names;
};

/** Fill by_name from weights. */
void pld_weight_files_sort(pld_weight_files *files);

/** Give each matrix of 8-bit numbers the scale or the scales that stand beside it, and leave such tensors out of the list. */
pld_status pld_weight_files_take_scales(pld_weight_files *files, pld_error *error);

/** A file of a folder from which the weights could be opened. */
typedef struct pld_weight_candidate {
    char *name;    /* file name inside the folder */
    char *variant; /* "fp16"; "" without one */
    bool index;    /* an index of shards, not the weights themselves */
} pld_weight_candidate;

typedef struct pld_weight_candidates {
    pld_weight_candidate *items; /* [count], best first */
    size_t count;
    size_t capacity;
} pld_weight_candidates;

/** List what `folder` offers for `stem`. Nothing at all is an error that says what is there instead. On
 *  failure too the list is given back with pld_weight_candidates_free. */
pld_status pld_weight_candidates_find(const char *folder, const char *stem, pld_weight_candidates *found,
                                      pld_error *error);

void pld_weight_candidates_free(pld_weight_candidates *candidates);

/** The names of the shards in an index, each once, in order. They and the map of tensor to shard belong to
 * `document`. */
typedef struct pld_weight_index {
    struct json_t *document;
    const struct json_t *map;
    const char **shards; /* [shard_count] */
    size_t shard_count;
} pld_weight_index;

/** Read an index file: an object `weight_map` of tensor name to plain file name. On failure too the index is
 *  given back with pld_weight_index_free. */
pld_status pld_weight_index_load(const char *path, pld_weight_index *index, pld_error *error);

void pld_weight_index_free(pld_weight_index *index);

/** Check that map and opened shards (`files` [shard_count], in the index's order) name the same tensors, each
 * once. */
pld_status pld_weight_index_check(const char *path, const pld_weight_index *index,
                                  pld_tensor_file *const *files, pld_error *error);

#endif
