/* SPDX-License-Identifier: Apache-2.0 */
/** A 64-bit fingerprint of bytes: tells files apart that differ by accident, not by intent. */
#ifndef PLADIS_CLI_EVALUATE_HASH_H
#define PLADIS_CLI_EVALUATE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FINGERPRINT_SIZE = 17 };

/** `hash` (begin with 0) carried on over `size` bytes; the way they are cut into calls counts. */
uint64_t hash_bytes(uint64_t hash, const void *data, size_t size);

/** 16 hexadecimal digits and a zero byte. */
void hash_text(uint64_t hash, char text[FINGERPRINT_SIZE]);

/** `*hash` carried on over the contents of a file, or over names and contents of a folder's weights and
 * configurations (.safetensors, .json, .txt). False after an error line. */
bool hash_path(const char *path, uint64_t *hash);

#endif
