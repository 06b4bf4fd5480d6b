/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the builder share. */
#ifndef PLD_NN_BUILD_INTERNAL_H
#define PLD_NN_BUILD_INTERNAL_H

#include "nn/build.h"

bool pld_build_failed(const pld_builder *b);

/** A new value; PLD_NO_VALUE after a failure, as with the next three. */
pld_value_id pld_build_value(pld_builder *b, pld_row_groups groups, int64_t batch, int64_t height,
                             int64_t width, int64_t channels);

/** A value that is made of no other. */
pld_value_id pld_build_source(pld_builder *b, int64_t batch, int64_t height, int64_t width, int64_t channels);

/** A value of x's rows with another shape. */
pld_value_id pld_build_rows_of(pld_builder *b, pld_value_id x, int64_t height, int64_t width,
                               int64_t channels);

/** A value of x's tokens with another number of channels. */
pld_value_id pld_build_like(pld_builder *b, pld_value_id x, int64_t channels);

/** A new operator named scope.name (either may be empty), to be completed and appended. */
pld_operator pld_build_operator(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id in,
                                pld_value_id out);

/** Append it; its values live until it at least. Nothing happens after a failure. */
void pld_build_append(pld_builder *b, const pld_operator *op);

/** Append one that is complete. */
void pld_build_simple(pld_builder *b, pld_operator_kind kind, const char *name, pld_value_id in,
                      pld_value_id out);

/** Index of the plan's constant that `fill` makes of a description of at most 64 bytes, one for all that ask for the same;
 * −1 after a failure. */
int pld_build_constant(pld_builder *b, size_t floats, void (*fill)(const void *description, float *table),
                       const void *description, size_t description_bytes);

/** Take the next `count` values from outside; the number of the first. */
int pld_build_outside(pld_builder *b, int count);

/** Channels of a value; 0 after a failure. */
int64_t pld_build_channels(const pld_builder *b, pld_value_id x);

/** Bind NAME.suffix of an operator; nothing in a plan without parameters. */
pld_parameter *pld_build_bind(pld_builder *b, const char *module, const char *suffix, int rank,
                              const int64_t *shape);

/** The same of the last step of a causal convolution over frames; `shape` is that of the step. */
pld_parameter *pld_build_bind_last_step(pld_builder *b, const char *module, const char *suffix,
                                        const int64_t shape[4], int64_t steps);

#endif
