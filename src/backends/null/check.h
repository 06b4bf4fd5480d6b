/* SPDX-License-Identifier: Apache-2.0 */
/** The checks of a plan. */
#ifndef PLD_BACKENDS_NULL_CHECK_H
#define PLD_BACKENDS_NULL_CHECK_H

#include "backends/null/null.h"

typedef struct pld_null_device {
    pld_device device;
    pld_null_counts counts;
} pld_null_device;

/** When a value is in use, found out from the operators alone: it holds numbers that are wanted from `first` to `last`. */
typedef struct pld_null_life {
    int first, last; /**< operators; −1: from the beginning; the number of operators: to the end */
} pld_null_life;

/** pld_executable.state */
typedef struct pld_null_plan {
    pld_null_life *lives; /**< [plan->value_count] */
    bool *written;        /**< [plan->value_count], of the run */
} pld_null_plan;

/** Check shapes by the rules of their kinds, and that no two values lie on each other while both are wanted.
 * PLD_ERROR_INTERNAL names operators and values. */
pld_status pld_null_begin(pld_executable *executable, pld_error *error);

/** Check that what an operator reads was written before, and that what it takes from outside is there. */
pld_status pld_null_run(pld_executable *executable, const pld_operator *op, pld_error *error);

#endif
