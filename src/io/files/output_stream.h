/* SPDX-License-Identifier: Apache-2.0 */
/** Writing to what may keep a writer waiting: pipes, devices, descriptors that are open already. */
#ifndef PLD_IO_FILES_OUTPUT_STREAM_H
#define PLD_IO_FILES_OUTPUT_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "io/files/output_path.h"

/** A descriptor for a path that is `special` or names a descriptor; the caller closes it. Waits for the
 *  reader of a named pipe until `*cancel` (may be NULL) is set. `name` is for messages. */
pld_status pld_output_stream_open(const pld_output_path *found, const char *name, const volatile int *cancel,
                                  int *descriptor, pld_error *error);

/** All bytes, waiting for a slow reader until `*cancel` (may be NULL) is set: PLD_ERROR_CANCELLED then. */
pld_status pld_output_stream_write(int descriptor, const char *name, const void *data, size_t bytes,
                                   const volatile int *cancel, pld_error *error);

/** write() whose failure is told by errno alone: a pipe without reader and a file at its limit do not
 *  also raise SIGPIPE or SIGXFSZ, which would end a program that embeds the library. */
ssize_t pld_output_write_quietly(int descriptor, const void *data, size_t bytes);

#endif
