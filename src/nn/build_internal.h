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

/** Operator `op` reads or writes a value (PLD_NO_VALUE: nothing). */
void pld_build_touch(pld_plan *plan, pld_value_id id, int op);

/** Append; the name is scope.name (either may be empty). NULL after a failure. */
pld_operator *pld_build_append(pld_builder *b, const pld_operator_kind *kind, const char *name,
                               pld_value_id in, pld_value_id second, pld_value_id out);

/** Bind NAME.suffix of an operator; nothing in a plan without parameters. */
pld_parameter *pld_build_bind(pld_builder *b, const char *module, const char *suffix, int rank,
                              const int64_t *shape);

/** The operator that was appended last reads this, too. */
static inline void pld_build_touch_last(pld_builder *b, pld_value_id id) {
    pld_build_touch(b->plan, id, (int)b->plan->operator_count - 1);
}

#endif
