/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/safetensors.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/mapping.h"
#include "core/memory.h"
#include "io/tensors/random_weights.h"
#include "io/tensors/safetensors_header.h"

enum { LENGTH_BYTES = 8, MAX_HEADER_BYTES = 100 * 1000 * 1000 };

struct pld_safetensors {
    pld_mapping *source; /* NULL: the values are random */
    pld_safetensors_header header;
    atomic_int owners;
};

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
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: expected a safetensors file, found %s", path,
                        foreign);
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
                    "%s: expected a safetensors file (8 bytes of length, then '{'), found something else",
                    path);
}

/** Read and check the header of `file->source`. */
static pld_status read_header(pld_safetensors *file, pld_error *error) {
    size_t length = 0;
    PLD_TRY(read_header_length(file->source, &length, error));
    char *json = pld_allocate(length, 1);
    if (!json) {
        return pld_fail_memory(error, length, "header of a safetensors file");
    }
    pld_status status = pld_mapping_read(file->source, LENGTH_BYTES, length, json, "the header", error);
    if (status == PLD_OK) {
        uint64_t data_begin = LENGTH_BYTES + (uint64_t)length;
        status = pld_safetensors_header_parse(json, length, data_begin,
                                              pld_mapping_size(file->source) - data_begin,
                                              pld_safetensors_path(file), &file->header, error);
    }
    pld_free(json);
    return status;
}

pld_status pld_safetensors_open(const char *path, pld_safetensors **file, pld_error *error) {
    *file = NULL;
    pld_safetensors *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    atomic_init(&opened->owners, 1);
    pld_status status = pld_mapping_open(path, &opened->source, error);
    if (status == PLD_OK) {
        status = read_header(opened, error);
    }
    if (status != PLD_OK) {
        pld_safetensors_close(&opened);
        return status;
    }
    *file = opened;
    return PLD_OK;
}

pld_status pld_safetensors_create_random(const char *header, size_t length, uint64_t data_bytes,
                                         pld_safetensors **file, pld_error *error) {
    *file = NULL;
    pld_safetensors *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "random weights");
    }
    atomic_init(&made->owners, 1);
    pld_status status =
        pld_safetensors_header_parse(header, length, LENGTH_BYTES + (uint64_t)length, data_bytes,
                                     pld_safetensors_path(made), &made->header, error);
    if (status != PLD_OK) {
        pld_safetensors_close(&made);
        return status;
    }
    *file = made;
    return PLD_OK;
}

pld_safetensors *pld_safetensors_share(pld_safetensors *file) {
    atomic_fetch_add(&file->owners, 1);
    return file;
}

void pld_safetensors_close(pld_safetensors **file) {
    pld_safetensors *closed = *file;
    *file = NULL;
    if (closed && atomic_fetch_sub(&closed->owners, 1) == 1) {
        pld_safetensors_header_free(&closed->header);
        pld_mapping_close(&closed->source);
        pld_free(closed);
    }
}

bool pld_safetensors_is_random(const pld_safetensors *file) {
    return !file->source;
}

const char *pld_safetensors_path(const pld_safetensors *file) {
    return file->source ? pld_mapping_path(file->source) : "random weights";
}

size_t pld_safetensors_count(const pld_safetensors *file) {
    return file->header.count;
}

const pld_stored_tensor *pld_safetensors_at(const pld_safetensors *file, size_t index) {
    return index < file->header.count ? &file->header.tensors[index] : NULL;
}

const pld_stored_tensor *pld_safetensors_find(const pld_safetensors *file, const char *name) {
    size_t begin = 0;
    size_t end = file->header.count;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        int order = strcmp(name, file->header.by_name[middle]->name);
        if (order == 0) {
            return file->header.by_name[middle];
        }
        if (order < 0) {
            end = middle;
        } else {
            begin = middle + 1;
        }
    }
    return NULL;
}

size_t pld_safetensors_metadata_count(const pld_safetensors *file) {
    return file->header.metadata_count;
}

const char *pld_safetensors_metadata_key(const pld_safetensors *file, size_t index) {
    return index < file->header.metadata_count ? file->header.metadata[index].key : NULL;
}

const char *pld_safetensors_metadata_value(const pld_safetensors *file, size_t index) {
    return index < file->header.metadata_count ? file->header.metadata[index].value : NULL;
}

const char *pld_safetensors_metadata_find(const pld_safetensors *file, const char *key) {
    for (size_t i = 0; i < file->header.metadata_count; i++) {
        if (strcmp(file->header.metadata[i].key, key) == 0) {
            return file->header.metadata[i].value;
        }
    }
    return NULL;
}

pld_status pld_safetensors_read(const pld_safetensors *file, const pld_stored_tensor *tensor,
                                size_t first_byte, size_t bytes, void *destination, pld_error *error) {
    if (first_byte > tensor->bytes || bytes > tensor->bytes - first_byte) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%s: tensor '%s' has %zu bytes; %zu from byte %zu were asked for",
                        pld_safetensors_path(file), tensor->name, tensor->bytes, bytes, first_byte);
    }
    if (!file->source) {
        pld_random_weights_read(tensor, first_byte, bytes, destination);
        return PLD_OK;
    }
    return pld_mapping_read(file->source, tensor->offset + first_byte, bytes, destination, tensor->name,
                            error);
}
