/* SPDX-License-Identifier: Apache-2.0 */
/** A backend that computes nothing and holds no memory, so that networks of every size can be run through it: it checks the
 * plan, operator after operator, and counts. */
#ifndef PLD_BACKENDS_NULL_NULL_H
#define PLD_BACKENDS_NULL_NULL_H

#include "backends/backend.h"

/** What has run on a device since it was opened. */
typedef struct pld_null_counts {
    size_t operators;
    double work; /**< multiplications and additions of products */
} pld_null_counts;

pld_null_counts pld_null_counts_of(const pld_device *device);

#endif
