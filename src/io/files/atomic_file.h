/* SPDX-License-Identifier: Apache-2.0 */
/** A file that appears whole under its name or not at all. It is written without a name (O_TMPFILE) and
 *  linked at the end, so that a program that is killed leaves nothing; where the file system cannot do
 *  that, under a name of its own beside the target (".pladis-….part") and renamed. */
#ifndef PLD_IO_FILES_ATOMIC_FILE_H
#define PLD_IO_FILES_ATOMIC_FILE_H

#include <stddef.h>

#include "core/status.h"

typedef struct pld_atomic_file pld_atomic_file;

/** Begin to write `path`. Its folder must exist and be writable. Links are followed, also one that leads
 *  nowhere yet; a file that is replaced keeps its permissions. A device, a pipe or an open descriptor
 *  ("/dev/stdout") is written directly; waiting for its reader ends with PLD_ERROR_CANCELLED once
 *  `*cancel` (may be NULL) is set. */
pld_status pld_atomic_file_open(const char *path, const volatile int *cancel, pld_atomic_file **file,
                                pld_error *error);

/** Append. After a failure only discard is left to do. */
pld_status pld_atomic_file_write(pld_atomic_file *file, const void *data, size_t bytes, pld_error *error);

/** Sync and give the file its name; frees `*file` and nulls it in any case. On failure nothing is left. */
pld_status pld_atomic_file_commit(pld_atomic_file **file, pld_error *error);

/** Remove what was written; frees `*file` and nulls it. NULL is accepted, so this is safe after commit. */
void pld_atomic_file_discard(pld_atomic_file **file);

/** Open, write and commit in one go. */
pld_status pld_atomic_file_save(const char *path, const void *data, size_t bytes, const volatile int *cancel,
                                pld_error *error);

/** Whether pld_atomic_file_open will succeed, with nothing left behind; pipes and devices are not opened.
 *  `*target` (may be NULL) gets the absolute path that will be written, links followed, "/proc/self/fd/N"
 *  for a descriptor; free it with pld_free. */
pld_status pld_atomic_file_check(const char *path, char **target, pld_error *error);

#endif
