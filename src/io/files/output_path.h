/* SPDX-License-Identifier: Apache-2.0 */
/** Where the bytes of an output go: links followed, also those that lead nowhere yet, and what can be
 *  known before the first byte checked. */
#ifndef PLD_IO_FILES_OUTPUT_PATH_H
#define PLD_IO_FILES_OUTPUT_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/status.h"

/** Zero at the start; free with pld_output_path_free. */
typedef struct pld_output_path {
    char *path;     /**< behind all links */
    int descriptor; /**< an open one that the path names ("/dev/stdout", "/dev/fd/3"), or -1 */
    bool special;   /**< a device, pipe or socket, which is written directly; so is a descriptor */
    bool exists;
    mode_t mode; /**< of a file that is there: its permissions */
} pld_output_path;

/** Find out. A folder, a missing folder around it, a name too long, a file that must not be replaced
 *  (write-protected, or another user's in a sticky folder) and a loop of links are PLD_ERROR_IO. On
 *  failure `*found` is empty. */
pld_status pld_output_path_find(const char *path, pld_output_path *found, pld_error *error);

void pld_output_path_free(pld_output_path *found);

/** The absolute path of what will be written, "/proc/self/fd/N" for a descriptor; two outputs of the same
 *  one would overwrite each other. Free with pld_free; NULL when memory is out. */
char *pld_output_path_absolute(const pld_output_path *found);

/** How messages call it: "standard output" for /dev/stdout, else `path` as it was given. */
const char *pld_output_path_title(const pld_output_path *found, const char *path);

/** The folder that a path stands in, with its last slash: "a/b" → "a/", "b" → "./". NULL when memory is
 * out. */
char *pld_output_path_folder(const char *path);

/** A name in `folder` (with its slash) for what is not whole yet, as short whatever the output's is.
 * Chance alone keeps it apart from others. NULL when memory is out. */
char *pld_output_path_temporary(const char *folder);

/** PLD_ERROR_IO "PATH: cannot be written: REASON; REMEDY" for an errno. */
pld_status pld_output_path_fail(const char *path, int reason, pld_error *error);

#endif
