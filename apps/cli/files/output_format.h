/* SPDX-License-Identifier: Apache-2.0 */
/** What the ending of an output's name says, and what is written. */
#ifndef PLADIS_CLI_FILES_OUTPUT_FORMAT_H
#define PLADIS_CLI_FILES_OUTPUT_FORMAT_H

#include <stdbool.h>

/** What an option writes. */
typedef struct output_format {
    const char *title;      /**< "PNG" */
    const char *endings[3]; /**< without their dot, the usual one first; NULL behind the last */
} output_format;

extern const output_format output_png, output_json, output_csv, output_safetensors, output_gguf,
    output_statistics, /**< JSON or CSV */
    output_folder;

/** Whether the ending of `path` fits what --`option` writes there: a name that promises another known
 * format is refused, one that promises nothing is taken as it is. Devices and pipes may have any name.
 * Gives the exit code. */
int output_format_check(const char *option, const char *path, const output_format *format);

/** A note where the name does not say what is written. To be asked when all else is right. */
void output_format_note(const char *option, const char *path, const output_format *format);

/** The known format that the ending of a path promises ("GGUF"); NULL: none. */
const char *output_format_promised(const char *path);

/** Whether a path ends in a dot and `ending`, in small or capital letters. */
bool output_format_ends_in(const char *path, const char *ending);

#endif
