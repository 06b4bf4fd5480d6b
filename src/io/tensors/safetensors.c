/* SPDX-License-Identifier: Apache-2.0 */
/* The safetensors format: 8 bytes of header length (little endian), a JSON header, then the data without gaps. */
#include <inttypes.h>

#include "core/memory.h"
#include "io/tensors/formats.h"

enum { LENGTH_BYTES = 8, MAX_HEADER_BYTES = 100 * 1000 * 1000 };

/** Find the length of the header, or say what the file is instead. The first bytes of other formats could in
 *  principle be an honest length, so they are looked at only when the length makes no sense. */
static pld_status read_header_length(const pld_mapping *source, size_t *length, pld_error *error) {
    const char *path = pld_mapping_path(source);
    uint64_t size = pld_mapping_size(source);
    uint8_t start[64] = {0};
    size_t got = size < sizeof start ? (size_t)size : sizeof start;
    PLD_TRY(pld_mapping_read(source, 0, got, start, "the header", error));
    uint64_t wanted = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
        wanted = wanted << 8 | start[i];
    }
    if (got > LENGTH_BYTES && wanted <= MAX_HEADER_BYTES && wanted <= size - LENGTH_BYTES &&
        start[LENGTH_BYTES] == '{') {
        *length = (size_t)wanted;
        return PLD_OK;
    }
    const char *foreign = pld_recognise_foreign_file(start, got);
    if (foreign) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected a safetensors or GGUF file, found %s",
                        path, foreign);
    }
    if (size <= LENGTH_BYTES) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected a safetensors file, found only %" PRIu64 " bytes; download it again",
                        path, size);
    }
    if (wanted <= MAX_HEADER_BYTES && wanted > size - LENGTH_BYTES && start[LENGTH_BYTES] == '{') {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: the header should have %" PRIu64 " bytes, but the file ends after %" PRIu64
                        "; it is cut short: download it again",
                        path, wanted, size - LENGTH_BYTES);
    }
    if (start[LENGTH_BYTES] == '{') {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: the header claims %" PRIu64 " bytes; at most %d are accepted", path, wanted,
                        (int)MAX_HEADER_BYTES);
    }
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: expected a safetensors file (8 bytes of length, then '{') or a GGUF file, found "
                    "something else",
                    path);
}

static bool recognise(const uint8_t *start, size_t size) {
    (void)start;
    (void)size;
    return true;
}

static pld_status read_header(const pld_mapping *source, pld_tensor_table *table, pld_error *error) {
    size_t length = 0;
    PLD_TRY(read_header_length(source, &length, error));
    char *json = pld_allocate(length, 1);
    if (!json) {
        return pld_fail_memory(error, length, "header of a safetensors file");
    }
    pld_status status = pld_mapping_read(source, LENGTH_BYTES, length, json, "the header", error);
    if (status == PLD_OK) {
        const uint64_t data_begin = LENGTH_BYTES + (uint64_t)length;
        status = pld_safetensors_header_parse(json, length, data_begin, pld_mapping_size(source) - data_begin,
                                              pld_mapping_path(source), table, error);
    }
    pld_free(json);
    return status;
}

const pld_tensor_format pld_format_safetensors = {"safetensors", recognise, read_header};
