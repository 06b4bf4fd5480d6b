/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by convert*.c only. */
#ifndef PLD_PIPELINE_FILES_CONVERT_H
#define PLD_PIPELINE_FILES_CONVERT_H

#include "pipeline/model/model.h"

enum { PLD_MOST_SOURCES = PLD_MOST_RENAMED };

/** A type that can be asked for. */
typedef struct pld_written_type {
    const char *name; /**< "q4_k" */
    pld_dtype dtype;
    bool matrices; /**< of matrices of linear layers alone; what else there is stays in 16 bits or float32 */
    bool gguf, others; /**< whether GGUF files can be of it, and whether safetensors can */
    int file_type;     /**< llama.cpp's number for a file of it */
} pld_written_type;

/** One tensor to be written. */
typedef struct pld_converted {
    char *name;
    pld_tensor tensor; /**< type and shape; no data */
    bool quantisable;  /**< by its name it may be a matrix that is written in 8 bits or fewer */
    bool scales;       /**< it holds the scales of the rows of `matrix` */
    size_t matrix;
    const char *text;                     /**< it has no source, but these bytes */
    pld_weight sources[PLD_MOST_SOURCES]; /**< one after the other along the rows; none: zeros */
    int source_count;
    bool identity;               /**< it has no source and is no zeros, but this matrix */
    int first[PLD_MOST_SOURCES]; /**< where in a fused tensor each of them begins, in parts */
    int parts,
        placed; /**< of a fused tensor: equal parts of its rows, and how many the sources make up; else 0 */
    pld_stored_tensor *own; /**< of a transpose: the source with its shape exchanged; else NULL */
} pld_converted;

/** Tensors of one file, and the views that they come from. */
typedef struct pld_conversion {
    const pld_model *model;
    const pld_convert_options *options;
    const pld_written_type *type; /**< NULL: every tensor keeps its own */
    bool gguf;                    /**< a GGUF file is written, else safetensors */
    pld_converted *items;
    size_t count, capacity;
    pld_weight_files *views[PLD_MAX_PARTS]; /**< [view_count] */
    int view_count;
    uint64_t *done, all; /**< bytes, for progress */
    size_t overflows;    /**< numbers that became infinite in f16 */
} pld_conversion;

/** Add a part's tensors under diffusers' names. */
pld_status pld_conversion_add_part(pld_conversion *conversion, const pld_component *part, pld_error *error);

/** Add a part's tensors under the names that single files of a published model use, which lose `prefix` where they begin with it. */
pld_status pld_conversion_add_original(pld_conversion *conversion, const pld_component *part,
                                       const pld_published *published, const char *prefix, pld_error *error);

/** Add a tensor that is a mark: empty, or, where files cannot hold that, one zero. */
pld_status pld_conversion_add_mark(pld_conversion *conversion, const char *name, pld_error *error);

/** A new item, whose name is taken over, also on failure; NULL: memory is out. */
pld_converted *pld_conversion_append(pld_conversion *conversion, char *name);

/** The type of this name. PLD_ERROR_ARGUMENT names those there are. NULL gives NULL. */
pld_status pld_written_type_find(const char *name, const pld_written_type **type, pld_error *error);

/** Decide the type of each tensor, once all are added, and add the tensors that stand beside int8 matrices. PLD_ERROR_FORMAT: a
 * fused tensor lacks a part. */
pld_status pld_conversion_settle(pld_conversion *conversion, pld_error *error);

/** Bytes of what will be written, and of a part that is not added yet, by its parameters. */
uint64_t pld_conversion_bytes(const pld_conversion *conversion);
uint64_t pld_conversion_expected_bytes(const pld_conversion *conversion, const pld_model_part *part,
                                       const pld_part_class *class);

/** A pld_tensor_supplier of the settled items, whose user is the pld_conversion. */
pld_status pld_conversion_supply(void *user, size_t index, size_t first_byte, size_t bytes, void *buffer,
                                 pld_error *error);

/** Write the file of settled items. `metadata`: pairs, NULL-terminated. */
pld_status pld_conversion_write(pld_conversion *conversion, const char *path, const char *const *metadata,
                                pld_error *error);

/** Forget tensors and views, so that another file can follow. */
void pld_conversion_clear(pld_conversion *conversion);

/** The published model that the denoiser is most like. */
pld_status pld_conversion_published(const pld_model *model, const pld_published **published,
                                    pld_error *error);

/** Warn in the log where the single file at `output`, opened by itself, would not be `model` any more,
 *  and say what to give beside it. */
pld_status pld_convert_check_single(const pld_model *model, const char *output, pld_error *error);

/** Write a diffusers folder to `folder`, which exists and is empty. */
pld_status pld_convert_to_folder(pld_conversion *conversion, const char *folder, pld_error *error);

#endif
