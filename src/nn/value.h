/* SPDX-License-Identifier: Apache-2.0 */
/** What the operators of a plan read and write. */
#ifndef PLD_NN_VALUE_H
#define PLD_NN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/branch.h"

/** Index of a value in its plan. */
typedef int pld_value_id;
enum { PLD_NO_VALUE = -1 };

/** Numbers inside a value: of each row of the batch those from number `first` of its first token on. */
typedef struct pld_slice {
    pld_value_id value;
    int64_t first;
} pld_slice;

#define PLD_NO_SLICE ((pld_slice){PLD_NO_VALUE, 0})

typedef enum pld_value_life {
    PLD_VALUE_TEMPORARY, /**< memory shared with others after its last use */
    PLD_VALUE_KEPT,      /**< an input or output of the plan: has memory of its own */
} pld_value_life;

/** Which rows of the batch a value holds once for several (row_groups.h). */
typedef struct pld_row_groups {
    int8_t count; /**< of groups; 0: each row of the batch by itself */
    int8_t rows;  /**< of the batch */
    int8_t of_row
        [PLD_BRANCH_COUNT]; /**< [rows] the group of a row; −1: it leaves the block out in which the value is */
    int8_t first[PLD_BRANCH_COUNT]; /**< [count] the row that stands for a group */
} pld_row_groups;

/** The row of the batch for which item `index` of a value stands. */
static inline int64_t pld_row_of_group(const pld_row_groups *groups, int64_t index) {
    return groups->count ? groups->first[index] : index;
}

/** Where a row of the batch stands in a value; −1: nowhere. */
static inline int64_t pld_group_of_row(const pld_row_groups *groups, int64_t row) {
    return groups->count ? groups->of_row[row] : row;
}

typedef struct pld_value {
    int64_t batch, height, width, channels; /**< batch: rows, or groups of them */
    pld_row_groups groups;
    pld_value_life life;
    bool input;           /**< the caller fills it */
    int first, last;      /**< operators; -1 before any */
    int held;             /**< by the layout: the last operator that needs its place */
    pld_value_id narrows; /**< PLD_NO_VALUE, or one of as many tokens and more channels, of which it is made
                             in place: by a linear layer that is the last to read that one */
    size_t offset;        /**< in floats, from the beginning of the plan's memory */
} pld_value;

/** Floats of one value; 0 when the product overflows. */
size_t pld_value_floats(const pld_value *value);

#endif
