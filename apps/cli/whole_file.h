/* SPDX-License-Identifier: Apache-2.0 */
/** Files read whole, and written whole or not at all. */
#ifndef PLADIS_CLI_WHOLE_FILE_H
#define PLADIS_CLI_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of a file, or of standard input for "-", with a zero byte behind them; the caller frees. NULL after
 * an error line, also when it is longer than `most` bytes. */
char *whole_file_read(const char *path, size_t most, size_t *size);

/** The same as text (pld_plain_text_decode), for files that a person may have written; it holds no zero byte
 * before its end. */
char *whole_file_read_text(const char *path, size_t most, size_t *size);

/** Write beside `path`, sync, rename; a device or pipe is written directly. False after an error line; no
 * part of the file is left then. */
bool whole_file_write(const char *path, const void *data, size_t size);

/** All bytes to standard output. False after an error line. */
bool whole_file_to_output(const void *data, size_t size);

/** Whether a file of this name can be read. */
bool whole_file_is_there(const char *path);

/** Whether `path` can become a file: its folder exists and can be written, and it is no folder itself. Asked
 * before a run, since after minutes of work it is late to hear. False after an error line naming `option`. */
bool whole_file_can_write(const char *option, const char *path);

#endif
