/* SPDX-License-Identifier: Apache-2.0 */
/** All files that a run will write, asked about before it begins: whether they can be written, whether
 * two are the same one, and whether one is what the run reads. After minutes of work it is late to hear. */
#ifndef PLADIS_CLI_FILES_OUTPUT_SET_H
#define PLADIS_CLI_FILES_OUTPUT_SET_H

#include <stdbool.h>
#include <stddef.h>

/** Zero at the start; free with output_set_free. */
typedef struct output_set {
    struct output_place *items;
    size_t count, capacity;
} output_set;

/** A file that --`option` reads. NULL, "-" and what is no file are left out. False after an error line. */
bool output_set_add_input(output_set *set, const char *option, const char *path);

/** A file that --`option` will write ("-": standard output). Gives the exit code: a name that cannot
 * become a file is reported here. */
int output_set_add(output_set *set, const char *option, const char *path);

/** Whether all are different files. Gives the exit code. */
int output_set_check(const output_set *set);

void output_set_free(output_set *set);

#endif
