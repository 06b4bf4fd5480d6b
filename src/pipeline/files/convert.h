/* SPDX-License-Identifier: Apache-2.0 */
/** Shared by convert*.c only. */
#ifndef PLD_PIPELINE_FILES_CONVERT_H
#define PLD_PIPELINE_FILES_CONVERT_H

#include "pipeline/model/model.h"

enum { PLD_MOST_SOURCES = PLD_MOST_RENAMED };

/** One tensor to be written. */
typedef struct pld_converted {
    char *name;
    pld_tensor tensor;                    /**< type and shape; no data */
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
    pld_dtype dtype; /**< PLD_DTYPE_COUNT: every tensor keeps its own */
    pld_converted *items;
    size_t count, capacity;
    pld_weight_files *views[PLD_MAX_PARTS]; /**< [view_count] */
    int view_count;
    uint64_t *done, all; /**< bytes, for progress */
    size_t overflows;    /**< numbers that became infinite in f16 */
} pld_conversion;

/** Add a part's tensors under diffusers' names. */
pld_status pld_conversion_add_part(pld_conversion *conversion, const pld_component *part, pld_error *error);

/** Add a part's tensors under the names that single files of a published model use. */
pld_status pld_conversion_add_original(pld_conversion *conversion, const pld_component *part,
                                       const pld_published *published, pld_error *error);

/** Add an empty tensor, a mark. */
pld_status pld_conversion_add_mark(pld_conversion *conversion, const char *name, pld_error *error);

uint64_t pld_conversion_bytes(const pld_conversion *conversion);

/** Write the file. */
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
