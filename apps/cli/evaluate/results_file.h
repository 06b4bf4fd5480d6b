/* SPDX-License-Identifier: Apache-2.0 */
/** results.jsonl: a header that says what is evaluated, then a line for each picture as it comes. A run that
 * was killed leaves at most half a line at the end, which the next one cuts off. */
#ifndef PLADIS_CLI_EVALUATE_RESULTS_FILE_H
#define PLADIS_CLI_EVALUATE_RESULTS_FILE_H

#include <limits.h>

#include <jansson.h>

#include "evaluate/outcomes.h"

typedef struct results_file {
    int file; /**< -1: closed */
    char path[PATH_MAX];
} results_file;

/** Open or begin the file. What it holds goes into `known`. Refused after an error line: a file with another
 * header (the field is named), a damaged one, one that another run writes. `header` stays the caller's. */
bool results_file_open(const char *path, const json_t *header, outcomes *known, results_file *results);

/** Append one picture's line, in one write. False after an error line. */
bool results_file_add(results_file *results, picture_place at, int64_t seed, const outcome *came);

void results_file_close(results_file *results);

#endif
