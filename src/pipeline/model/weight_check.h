/* SPDX-License-Identifier: Apache-2.0 */
/** What the numbers of a part's weights say by themselves: packed in a form that is not read, all zero, not
 * finite.
 */
#ifndef PLD_PIPELINE_MODEL_WEIGHT_CHECK_H
#define PLD_PIPELINE_MODEL_WEIGHT_CHECK_H

#include "core/log.h"
#include "io/tensors/weight_files.h"
#include "nn/weight_backend.h"

/** How quantised weights are spelled that carry factors beside them, which would be read as nonsense: "scaled
 * fp8 weights (spelled 'weight_scale')". NULL: these are plain numbers. `*tensor`: one that shows it. */
const char *pld_quantised_spelling(const pld_weight_files *files, const char **tensor);

/** PLD_ERROR_UNSUPPORTED for quantised weights; a notice for plain 8-bit floating point. */
pld_status pld_check_plain_numbers(const pld_weight_files *files, const pld_log *log, pld_error *error);

/** A warning where weights of `part` hold only zeros: a conversion or a download has failed. Only the first
 * bytes of most tensors are read. */
pld_status pld_note_zero_weights(const pld_weight_files *files, const char *part, const pld_log *log,
                                 pld_error *error);

/** The first weight that holds a NaN or an infinity. All values are read. False: there is none, or reading
 *  failed. */
bool pld_find_weight_not_finite(const pld_weight_files *files, const pld_weight_backend *backend,
                                pld_weight *found);

#endif
