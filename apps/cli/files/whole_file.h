/* SPDX-License-Identifier: Apache-2.0 */
/** Files read whole, and written whole or not at all. */
#ifndef PLADIS_CLI_FILES_WHOLE_FILE_H
#define PLADIS_CLI_FILES_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <pladis/pladis.h>

/** Bytes of a file, or of standard input for "-", with a zero byte behind them; the caller frees. NULL after
 * an error line, also when it is longer than `most` bytes. */
char *whole_file_read(const char *path, size_t most, size_t *size);

/** The same as text (pld_plain_text_decode), for files that a person may have written; it holds no zero byte
 * before its end. */
char *whole_file_read_text(const char *path, size_t most, size_t *size);

/** Write a file; a device or pipe is written directly, and waiting for its reader can be cancelled. Gives
 * the exit code; unless that is EXIT_DONE no part of the file is left. */
int whole_file_write(const char *path, const void *data, size_t size);

/** The same to standard output. */
int whole_file_to_output(const void *data, size_t size);

/** The same of a PNG with the texts key, value, …, NULL (or NULL). */
int whole_file_write_png(const char *path, const pld_image *image, const char *const *text);

/** Whether a file of this name can be read. */
bool whole_file_is_there(const char *path);

#endif
