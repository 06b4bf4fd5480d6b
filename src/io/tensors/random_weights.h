/* SPDX-License-Identifier: Apache-2.0 */
/** Weights that no file holds: made from their names and shapes alone, for measuring networks of any size.
 *
 *  The same name gives the same values. Products keep the variance of what they multiply (standard deviation
 *  1/√fan-in), norms are neutral, biases zero; to_q is 2.2 times as large, so that the logits of
 *  cross-attention spread as those of trained models do and PLADIS has the usual work. They read as bf16.
 */
#ifndef PLD_IO_TENSORS_RANDOM_WEIGHTS_H
#define PLD_IO_TENSORS_RANDOM_WEIGHTS_H

#include "io/tensors/weight_files.h"

/** Names and shapes, collected; zero it to begin. */
typedef struct pld_random_weights {
    char *header; /* of a safetensors file with these tensors, its last brace missing */
    size_t used, capacity;
    uint64_t bytes; /* of the data that would follow */
} pld_random_weights;

/** Add a tensor of this name and shape [rank]; a name that is there already is passed over. */
pld_status pld_random_weights_add(pld_random_weights *weights, const char *name, int rank,
                                  const int64_t *shape, pld_error *error);

void pld_random_weights_free(pld_random_weights *weights);

/** Open what was collected as if it were a file. */
pld_status pld_weight_files_create_random(const pld_random_weights *weights, pld_weight_files **files,
                                          pld_error *error);

/** The bytes that such a tensor has from `first_byte` on; both numbers are even. */
void pld_random_weights_read(const pld_stored_tensor *tensor, size_t first_byte, size_t bytes,
                             void *destination);

#endif
