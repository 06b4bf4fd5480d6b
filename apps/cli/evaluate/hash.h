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

/** Names and contents of a model's weights and configurations (.safetensors, .json, .txt), or of one file.
 * False after an error line. */
bool hash_model(const char *path, char text[FINGERPRINT_SIZE]);

#endif
