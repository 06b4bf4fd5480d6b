/* SPDX-License-Identifier: Apache-2.0 */
/** Configurations that a file of one network leaves unsaid, read off the shapes of its tensors and written as the JSON
 *  documents that a diffusers folder would have. What shapes do not tell (heads, groups, scaling, schedule) is that of
 *  the published model that it is most like.
 */
#ifndef PLD_MODELS_LAYOUTS_DESCRIBE_H
#define PLD_MODELS_LAYOUTS_DESCRIBE_H

#include "io/json/build.h"
#include "models/families.h"
#include "models/prediction.h"

/** model_index.json and scheduler_config.json of a published model of `family`; the caller owns both, also after a
 *  failure. `left_out`: bits of the parts that it goes without. */
pld_status pld_describe_pipeline(const pld_family *family, const pld_published *published,
                                 const pld_told_prediction *prediction, unsigned left_out, json_t **index,
                                 json_t **scheduler, pld_error *error);

/* ---- for the describe functions of classes */

/** Axis `axis` of the tensor called by printf's rules; 0 when there is no such tensor or axis. */
int64_t pld_shape_of(const pld_weight_files *files, int axis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** PLD_ERROR_FORMAT: the tensor from which something is read off is missing. */
pld_status pld_describe_missing(const pld_weight_files *files, const char *tensor, pld_error *error);

/** A tensor from which something is read off, and the axes that it must have at least. */
typedef struct pld_needed_tensor {
    const char *name;
    int rank;
} pld_needed_tensor;

/** pld_describe_missing for the first that is not there, or has fewer axes. */
pld_status pld_describe_need(const pld_weight_files *files, const pld_needed_tensor *tensors, size_t count,
                             pld_error *error);

/** Of the tensors BEFORE0AFTER, BEFORE1AFTER, … how many are there, one after another; at most `most`. */
int pld_count_numbered(const pld_weight_files *files, const char *before, const char *after, int most);

/** Take over the document that was built, with the fields that the published model states for its part. */
pld_status pld_describe_finish(pld_json_builder *builder, json_t *document,
                               const pld_description *description, json_t **config, pld_error *error);

/** What tells a network that has the tensors of another: where a file's title or architecture in its metadata, or its name, has the
 * word, which is lower-case, in any case: that value, or "by its file's name". NULL: nothing has it. */
const char *pld_told_by_word(const pld_weight_files *weights, const char *word);

#endif
