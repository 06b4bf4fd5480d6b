/* SPDX-License-Identifier: Apache-2.0 */
/** Text files that a person may have written, on whatever system: one reader for all of them. */
#ifndef PLD_IO_FILES_TEXT_FILE_H
#define PLD_IO_FILES_TEXT_FILE_H

#include <stddef.h>

#include "core/status.h"

/** `size` bytes of a file as text: UTF-16 and UTF-32 with a byte order mark become UTF-8, marks at the
 * beginning of the text and of its lines are left out (files joined by hand have them there too), and line
 * ends of any system become '\n'. Bytes that are not UTF-8 stay as they are. PLD_ERROR_FORMAT, with `name`
 * standing for the file, for a zero byte and for damaged UTF-16 or UTF-32. `*text` has a zero byte behind its
 * `*length` bytes; the caller frees it with pld_free. */
pld_status pld_text_file_decode(const char *bytes, size_t size, const char *name, char **text, size_t *length,
                                pld_error *error);

/** The text of a regular file of at most `most` bytes. */
pld_status pld_text_file_read(const char *path, size_t most, char **text, size_t *length, pld_error *error);

#endif
