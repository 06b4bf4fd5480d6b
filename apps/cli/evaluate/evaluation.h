/* SPDX-License-Identifier: Apache-2.0 */
/** An evaluation while it runs: what its parts share. */
#ifndef PLADIS_CLI_EVALUATE_EVALUATION_H
#define PLADIS_CLI_EVALUATE_EVALUATION_H

#include <limits.h>
#include <stdio.h>

#include "evaluate/outcomes.h"
#include "evaluate/prompt_set.h"
#include "evaluate/results_file.h"
#include "evaluate/settings.h"
#include "evaluate/statistics.h"

typedef struct evaluation {
    const evaluate_request *request;
    char model_path[PATH_MAX], model_name[256], model_fingerprint[FINGERPRINT_SIZE];
    evaluate_settings settings;
    prompt_set prompts;
    outcomes outcomes;
    results_file results;
    size_t shown[PLD_CATEGORY_COUNT]; /**< prompts of the contact sheets */
    size_t shown_count;
    setting_statistics *statistics; /**< [settings.count] once all pictures are there */
    size_t best;                    /**< setting of the highest alignment */
} evaluation;

/** FOLDER/name into `path` [PATH_MAX]. False after an error line. */
bool evaluation_path(const evaluation *e, const char *name, char *path);

/** Where a picture is kept. */
bool evaluation_picture_path(const evaluation *e, picture_place at, char *path);

/** "alignment" and "svg" → the name for grid `grid`. */
void evaluation_grid_name(const evaluation *e, const char *stem, const char *ending, size_t grid, char *name,
                          size_t size);

/** Text built in memory with `print`, which gets `grid`, written whole to FOLDER/name. Gives the exit code.
 */
int evaluation_write_text(const evaluation *e, const char *name, size_t grid,
                          void (*print)(FILE *file, const evaluation *e, size_t grid));

/** Draw and score what is missing. Gives the exit code. */
int evaluation_draw(evaluation *e);

/** results.csv, summary.csv, cost.csv, results.json, summary.md. Gives the exit code. */
int evaluation_write_tables(const evaluation *e);

/** A plot of each grid that has an axis: alignment.svg, or alignment-1.svg and so on. Gives the exit code. */
int evaluation_write_plots(const evaluation *e);

/** A contact sheet of each grid: pictures.png, or pictures-1.png and so on. Gives the exit code. */
int evaluation_write_sheets(const evaluation *e);

#endif
