/* SPDX-License-Identifier: Apache-2.0 */
/** All weights of one model component, whether they lie in one file or in shards with an index. */
#ifndef PLD_IO_TENSORS_WEIGHT_FILES_H
#define PLD_IO_TENSORS_WEIGHT_FILES_H

#include <stdbool.h>

#include "io/tensors/tensor_file.h"

/** Opened files of one component: immutable, shareable between threads. */
typedef struct pld_weight_files pld_weight_files;

/** Some rows of a matrix or vector of `of` equal parts: `count` parts from `first` on, beyond the last again from the top.
 *  {1, 1, 3} is the second third, {1, 2, 2} both halves, the second before the first; count 0: all rows as they are. */
typedef struct pld_row_part {
    int first, count, of;
} pld_row_part;

/** A tensor and the file that holds it; both are owned by the pld_weight_files. Name, shape and place are
 *  those of `tensor`, which in a view (pld_weight_files_view) need not be an entry of the file's header. */
typedef struct pld_weight {
    const pld_tensor_file *file;
    const pld_stored_tensor *tensor;
    size_t index;    /**< its place for pld_weight_files_at */
    bool transposed; /**< shape [N, C], but stored as [C, N] */
    int64_t steps;   /**< shape [N, C, steps, …], and the last step alone is meant; 0: all of it */
    float scale;     /**< by which its stored values are multiplied; 0: they are as they are */
    uint64_t turned; /**< bytes of the first rows, which are meant to come last; 0: none are */
    /** Of int8: numbers [rows, 1] by which its rows are multiplied, and the file that holds them; NULL: there are none. Its
     * first row has the number `first_scale`. */
    const pld_stored_tensor *row_scales;
    const pld_tensor_file *scales_file;
    size_t first_scale;
} pld_weight;

/** Whether numbers beside it say what its stored values are multiplied by. */
bool pld_weight_is_scaled(const pld_weight *weight);

/** Whether it is of a type of weights, or of whole numbers that are scaled. */
bool pld_weight_is_number(const pld_weight *weight);

/** By what rows [first, first + count) are multiplied, in the order of its shape; 1 where it has no scales of rows. */
pld_status pld_weight_row_scales(const pld_weight *weight, size_t first, size_t count, float *out,
                                 pld_error *error);

/** Bytes of what is meant of a weight, and its elements. */
size_t pld_weight_bytes(const pld_weight *weight);
size_t pld_weight_elements(const pld_weight *weight);

/** Find and open the weights of `folder` whose file names begin with `stem` ("diffusion_pytorch_model" in
 *  diffusers, "model" in transformers). Looked for, best first: no variant, fp16, bf16, other variants in
 *  alphabetical order, non_ema; and of each the single file before the index with its shards. An index none
 *  of whose shards is there is passed over where something else can be had. */
pld_status pld_weight_files_open(const char *folder, const char *stem, pld_weight_files **files,
                                 pld_error *error);

/** The same view of one single file. */
pld_status pld_weight_files_open_file(const char *path, pld_weight_files **files, pld_error *error);

/** One tensor of a view: a weight of the base under another name. */
typedef struct pld_weight_alias {
    size_t source;     /**< index into the base */
    const char *name;  /**< copied */
    pld_row_part rows; /**< of the source */
    bool transposed;   /**< the source is a matrix and its transpose is meant */
    bool flattened;    /**< axes of size 1 at the end are dropped: the kernel of a 1×1 convolution */
} pld_weight_alias;

/** A view of some tensors of `base` under other names and cut into parts, which shares its opened files and
 *  may outlive it. Two aliases of one name, parts of a tensor whose rows they do not divide and transposes of
 *  what is no matrix are PLD_ERROR_FORMAT. */
pld_status pld_weight_files_view(const pld_weight_files *base, const pld_weight_alias *aliases, size_t count,
                                 pld_weight_files **view, pld_error *error);

/** Close; `*files` becomes NULL. NULL is accepted. */
void pld_weight_files_close(pld_weight_files **files);

size_t pld_weight_files_count(const pld_weight_files *files); /**< tensors in all files */

/** Tensors file by file, in the order of their data. `index` < count. */
pld_weight pld_weight_files_at(const pld_weight_files *files, size_t index);

/** The tensor of this name; false (and `*weight` untouched) when there is none. */
bool pld_weight_files_find(const pld_weight_files *files, const char *name, pld_weight *weight);

uint64_t pld_weight_files_bytes(const pld_weight_files *files); /**< of all tensors, as stored */

/** Sum of the elements of all tensors. */
uint64_t pld_weight_files_elements(const pld_weight_files *files);

/** The opened files, shards in the order of their names. `index` < file_count. */
size_t pld_weight_files_file_count(const pld_weight_files *files);
const pld_tensor_file *pld_weight_files_file(const pld_weight_files *files, size_t index);
const char *pld_weight_files_path(const pld_weight_files *files, size_t index);

const char *pld_weight_files_variant(const pld_weight_files *files); /**< "fp16"; "" without one */

/** pld_tensor_file_read of what is meant of a weight; of a transposed one, and of a last step, whole elements, in the order
 * of its shape. Types whose blocks have several elements have neither. */
pld_status pld_weight_read(const pld_weight *weight, size_t first_byte, size_t bytes, void *destination,
                           pld_error *error);

#endif
