/* SPDX-License-Identifier: Apache-2.0 */
/** What lies where a file should be when its download went wrong. */
#ifndef PLD_IO_FILES_PLACEHOLDER_H
#define PLD_IO_FILES_PLACEHOLDER_H

#include <stddef.h>

/** What the beginning of a file says that it is in place of the file itself, with the remedy: "a Git LFS
 *  pointer …". NULL: nothing of that kind. */
const char *pld_recognise_placeholder(const char *start, size_t size);

#endif
