/* SPDX-License-Identifier: Apache-2.0 */
/** Options with several values, and values as text. */
#ifndef PLADIS_CLI_EVALUATE_GRIDS_H
#define PLADIS_CLI_EVALUATE_GRIDS_H

#include <jansson.h>

#include "request/generate_options.h"
#include "request/sweep.h"

enum { EVALUATE_MOST_GRIDS = 8, EVALUATE_MOST_AXES = 8 };

/** Options with several values each: the settings are all combinations. Zero at the start. */
typedef struct evaluate_grid {
    sweep_axis axes[EVALUATE_MOST_AXES];
    size_t count;
} evaluate_grid;

/** Add the axis "pladis=0,1". False after an error line about --`asked_by`. */
bool evaluate_grid_add(const char *asked_by, const char *text, evaluate_grid *grid);

/** Add the axes of "pladis=0,1 cfg-scale=1,4". False after an error line. */
bool evaluate_grid_parse(const char *text, evaluate_grid *grid);

void evaluate_grid_free(evaluate_grid *grid);

/** Remember `value` as typed, behind those that a repeatable option was given before. */
void evaluate_note_typed(json_t *typed, const char *name, const char *value);

/** A value of `settings` as text: "2", "ddim", "own" where it is the model's; of a CUSTOM row what was typed.
 */
void evaluate_value_text(const option *row, const generate_request *settings, const json_t *typed, char *text,
                         size_t size);

#endif
