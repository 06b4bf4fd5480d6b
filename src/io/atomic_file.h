/* SPDX-License-Identifier: Apache-2.0 */
/** A file that appears whole under its name or not at all: written beside it, synced, then renamed. */
#ifndef PLD_IO_ATOMIC_FILE_H
#define PLD_IO_ATOMIC_FILE_H

#include <stddef.h>

#include "core/status.h"

typedef struct pld_atomic_file pld_atomic_file;

/** Begin to write `path`. Its folder must exist and be writable. A device or pipe is written directly, since
 *  a rename would replace it; a symbolic link is followed. */
pld_status pld_atomic_file_open(const char *path, pld_atomic_file **file, pld_error *error);

/** Append. After a failure only discard is left to do. */
pld_status pld_atomic_file_write(pld_atomic_file *file, const void *data, size_t bytes, pld_error *error);

/** Sync and give the file its name; frees `*file` and nulls it in any case. On failure nothing is left. */
pld_status pld_atomic_file_commit(pld_atomic_file **file, pld_error *error);

/** Remove what was written; frees `*file` and nulls it. NULL is accepted, so this is safe after commit. */
void pld_atomic_file_discard(pld_atomic_file **file);

/** Open, write and commit in one go. */
pld_status pld_atomic_file_save(const char *path, const void *data, size_t bytes, pld_error *error);

#endif
