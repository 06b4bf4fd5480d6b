/* SPDX-License-Identifier: Apache-2.0 */
/** Several values of one option of `generate`: "pladis=0,1,2", "seed=1..4", "pladis-blocks=all;down,up". */
#ifndef PLADIS_CLI_REQUEST_SWEEP_H
#define PLADIS_CLI_REQUEST_SWEEP_H

#include "request/generate_options.h"

enum { SWEEP_MOST_VALUES = 256 };

typedef struct sweep_axis {
    const option *row;
    char **values; /**< [count] */
    size_t count;
} sweep_axis;

/** Read "NAME=VALUES": values stand between commas, or between semicolons where there is one; A..B and
 * A..B:STEP stand for numbers in a row. False after an error line about --`asked_by`: no such option, one
 * that does not belong to a picture, or values that it refuses. Free with sweep_axis_free. */
bool sweep_axis_parse(const char *asked_by, const char *text, sweep_axis *axis);
void sweep_axis_free(sweep_axis *axis);

/** Give `settings` value `index`. The values were tried when the axis was read. */
bool sweep_axis_apply(const sweep_axis *axis, size_t index, generate_request *settings);

/** Value `index` as a head of pictures: "λ = 2", "CFG scale 3", "seed 42"; a prompt stands alone. */
void sweep_axis_label(const sweep_axis *axis, size_t index, char *label, size_t size);

/** An option's value in the same words. */
void sweep_value_label(const option *row, const char *value, char *label, size_t size);

/** What is varied: "λ (PLADIS scale)", "CFG scale", "pladis blocks", "prompt". */
void sweep_row_title(const option *row, char *title, size_t size);

#endif
