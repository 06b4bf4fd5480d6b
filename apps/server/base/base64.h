/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures in JSON. */
#ifndef PLADIS_SERVER_BASE_BASE64_H
#define PLADIS_SERVER_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `size` bytes as base64, which the caller frees; NULL: memory is out. */
char *base64_write(const void *bytes, size_t size);

/** The bytes of a base64 text, or of a data URL ("data:image/png;base64,…"), which the caller frees. NULL: it is none, or
 *  (`*out_of_memory`) memory is out. */
uint8_t *base64_read(const char *text, size_t *size, bool *out_of_memory);

#endif
