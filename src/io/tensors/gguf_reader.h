/* SPDX-License-Identifier: Apache-2.0 */
/** The numbers and texts at the beginning of a GGUF file, one after the other, little endian. Private to gguf*.c. */
#ifndef PLD_IO_TENSORS_GGUF_READER_H
#define PLD_IO_TENSORS_GGUF_READER_H

#include "core/mapping.h"

enum { PLD_GGUF_BUFFER = 1 << 14 };

/** Where reading stands. The first failure stays, and after it nothing is read, so that a loop may ask once. */
typedef struct pld_gguf_reader {
    const pld_mapping *source;
    uint64_t at;         /**< the next byte */
    const char *reading; /**< what is being read, for messages */
    uint64_t buffer_begin;
    size_t buffered;
    uint8_t buffer[PLD_GGUF_BUFFER];
    pld_status status;
    pld_error *error;
} pld_gguf_reader;

void pld_gguf_reader_init(pld_gguf_reader *reader, const pld_mapping *source, pld_error *error);

/** The bytes that are left in the file. */
uint64_t pld_gguf_left(const pld_gguf_reader *reader);

/** A number of 1, 2, 4 or 8 bytes; 0 after a failure. */
uint64_t pld_gguf_number(pld_gguf_reader *reader, int bytes);

/** Copy so many bytes, or pass over them (`out` NULL). */
void pld_gguf_bytes(pld_gguf_reader *reader, uint64_t bytes, void *out);

/** Fail with PLD_ERROR_FORMAT, unless that has happened: "FILE: " and a text with at least one argument. */
#define pld_gguf_fail(reader, format, ...)                                                                   \
    ((void)((reader)->status = (reader)->status != PLD_OK                                                    \
                                   ? (reader)->status                                                        \
                                   : pld_fail((reader)->error, PLD_ERROR_FORMAT, "%s: " format,              \
                                              pld_mapping_path((reader)->source), __VA_ARGS__)))

#endif
