/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/gguf_reader.h"

#include <stdbool.h>
#include <string.h>

void pld_gguf_reader_init(pld_gguf_reader *reader, const pld_mapping *source, pld_error *error) {
    memset(reader, 0, sizeof *reader);
    reader->source = source;
    reader->error = error;
    reader->reading = "the header";
}

uint64_t pld_gguf_left(const pld_gguf_reader *reader) {
    return pld_mapping_size(reader->source) - reader->at;
}

/** Whether so many bytes follow; else the file is cut short. */
static bool has(pld_gguf_reader *reader, uint64_t bytes) {
    if (bytes > pld_gguf_left(reader)) {
        pld_gguf_fail(reader,
                      "%s goes beyond the end of the file; it is cut short or damaged: download it again",
                      reader->reading);
    }
    return reader->status == PLD_OK;
}

/** Make the buffer hold the next byte. */
static bool fill(pld_gguf_reader *reader) {
    if (reader->at >= reader->buffer_begin && reader->at - reader->buffer_begin < reader->buffered) {
        return true;
    }
    const uint64_t left = pld_gguf_left(reader);
    reader->buffer_begin = reader->at;
    reader->buffered = left < PLD_GGUF_BUFFER ? (size_t)left : PLD_GGUF_BUFFER;
    reader->status = pld_mapping_read(reader->source, reader->at, reader->buffered, reader->buffer,
                                      reader->reading, reader->error);
    return reader->status == PLD_OK;
}

void pld_gguf_bytes(pld_gguf_reader *reader, uint64_t bytes, void *out) {
    if (!has(reader, bytes)) {
        return;
    }
    if (!out) {
        reader->at += bytes;
        return;
    }
    for (uint64_t done = 0; done < bytes && fill(reader);) {
        const size_t from = (size_t)(reader->at - reader->buffer_begin);
        const size_t there = reader->buffered - from;
        const size_t part = bytes - done < there ? (size_t)(bytes - done) : there;
        memcpy((uint8_t *)out + done, reader->buffer + from, part);
        reader->at += part;
        done += part;
    }
}

uint64_t pld_gguf_number(pld_gguf_reader *reader, int bytes) {
    uint8_t raw[8] = {0};
    uint64_t value = 0;
    pld_gguf_bytes(reader, (uint64_t)bytes, raw);
    for (int i = bytes - 1; i >= 0; i--) {
        value = value << 8 | raw[i];
    }
    return reader->status == PLD_OK ? value : 0;
}
