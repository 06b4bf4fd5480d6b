/* SPDX-License-Identifier: Apache-2.0 */
/** Stored numbers as float32. */
#ifndef PLD_NN_WEIGHT_VALUES_H
#define PLD_NN_WEIGHT_VALUES_H

#include "io/tensors/weight_files.h"
#include "nn/weight_backend.h"

/** Elements [first, first + count) of a weight into `out`, through a small block of memory; of a quantised one that is
 * transposed, or of which one step is meant, by way of all of it. */
pld_status pld_weight_values(const pld_weight_backend *backend, const pld_weight *weight, size_t first,
                             size_t count, float *out, pld_error *error);

/** Where the numbers of one weight come from, for those who pack it. */
typedef struct pld_weight_reader {
    const pld_weight_backend *backend;
    const pld_weight *weight;
    const float *values; /**< all of them, or NULL: they are read from the file */
} pld_weight_reader;

/** Elements [first, first + count) into `out`. May be called from several threads. */
pld_status pld_weight_reader_read(const pld_weight_reader *reader, size_t first, size_t count, float *out,
                                  pld_error *error);

/** The same as they are stored, in whole blocks; of a weight that is streamable (pld_parameter_is_streamable). */
pld_status pld_weight_reader_stored(const pld_weight_reader *reader, size_t first, size_t count, void *out,
                                    pld_error *error);

/** The scales of rows [first, first + count) of such a weight; 1 where its rows have none. */
pld_status pld_weight_reader_row_scales(const pld_weight_reader *reader, size_t first, size_t count,
                                        float *out, pld_error *error);

/** All of a tensor into new memory, to be freed with pld_free. */
pld_status pld_weight_all_values(const pld_weight_backend *backend, const pld_weight *weight, float **values,
                                 pld_error *error);

#endif
