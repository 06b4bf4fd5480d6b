/* SPDX-License-Identifier: Apache-2.0 */
/** The settings of an evaluation: the union of its grids, each once. */
#ifndef PLADIS_CLI_EVALUATE_SETTINGS_H
#define PLADIS_CLI_EVALUATE_SETTINGS_H

#include "evaluate/request.h"

enum { EVALUATE_MOST_COLUMNS = 32, EVALUATE_MOST_SETTINGS = 4096, EVALUATE_VALUE = 128, EVALUATE_KEY = 512 };

typedef struct evaluate_setting {
    generate_request request;
    char key[EVALUATE_KEY]; /**< "pladis=1 cfg-scale=4": what tells it from the others */
    /** Of each column; "" where the option has no effect, as pladis-alpha where pladis is 0. */
    char values[EVALUATE_MOST_COLUMNS][EVALUATE_VALUE];
    size_t baseline; /**< the same setting with PLADIS off; itself where there is none */
} evaluate_setting;

typedef struct evaluate_settings {
    const option *columns[EVALUATE_MOST_COLUMNS]; /**< every option that some grid varies */
    size_t column_count;
    evaluate_setting *items;
    size_t count;
    size_t
        *cells[EVALUATE_MOST_GRIDS + 1]; /**< setting of each combination of a grid, its first axis fastest */
    size_t cell_counts[EVALUATE_MOST_GRIDS + 1];
} evaluate_settings;

/** False after an error line. Free with evaluate_settings_free in any case. */
bool evaluate_settings_make(const evaluate_request *request, evaluate_settings *settings);
void evaluate_settings_free(evaluate_settings *settings);

/** Column of an option, or column_count. */
size_t evaluate_settings_column(const evaluate_settings *settings, const char *name);

#endif
