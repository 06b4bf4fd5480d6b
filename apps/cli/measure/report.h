/* SPDX-License-Identifier: Apache-2.0 */
/** Figures as a table, as JSON, and beside earlier ones. */
#ifndef PLADIS_CLI_MEASURE_REPORT_H
#define PLADIS_CLI_MEASURE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <bench/bench.h>

#include "terminal/output.h"

/** A table that is being printed. */
typedef struct bench_table {
    const bench_machine *machine;
    char group[16]; /**< of the last line */
} bench_table;

/** A line of the table (a bench_table), on standard output; before the first one the machine. */
void bench_report_result(void *table, const bench_result *result);

/** Everything as JSON to `path`, or standard output for NULL. Gives the exit code. */
int bench_report_json(const bench_run *run, const char *path);

/** Results of an earlier run. */
typedef struct bench_old bench_old;

/** Read a file that --json wrote. False after an error line that names the file and the field. */
bool bench_old_read(const char *path, bench_old **old);
void bench_old_free(bench_old **old);

/** Each result of `run` that the earlier one has too: both medians and new / old; `*` where the quartiles of
 * the two do not overlap. */
void bench_old_compare(const bench_old *old, const bench_run *run, output_printer print);

/** "12.3 us", "4.56 GB", "0.8 %": `value` in a unit that suits it. Returns `text`. */
const char *bench_format(const char *unit, double value, char *text, size_t size);

#endif
