/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/tensor_file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "io/tensors/formats.h"
#include "io/tensors/random_weights.h"

static const pld_tensor_format *const formats[] = {&pld_format_gguf, &pld_format_safetensors};

struct pld_tensor_file {
    const pld_tensor_format *format; /* NULL: the values are random */
    pld_mapping *source;             /* NULL: the values are random */
    pld_tensor_table header;
    atomic_int owners;
};

/** Read and check the header of `file->source`. */
static pld_status read_header(pld_tensor_file *file, pld_error *error) {
    uint8_t start[16] = {0};
    const uint64_t size = pld_mapping_size(file->source);
    const size_t got = size < sizeof start ? (size_t)size : sizeof start;
    PLD_TRY(pld_mapping_read(file->source, 0, got, start, "the header", error));
    file->format = &pld_format_safetensors; /* which tells what a file is that is neither */
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i]->recognise(start, got)) {
            file->format = formats[i];
            break;
        }
    }
    return file->format->read(file->source, &file->header, error);
}

pld_status pld_tensor_file_open(const char *path, pld_tensor_file **file, pld_error *error) {
    *file = NULL;
    pld_tensor_file *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    atomic_init(&opened->owners, 1);
    pld_status status = pld_mapping_open(path, &opened->source, error);
    if (status == PLD_OK) {
        status = read_header(opened, error);
    }
    if (status != PLD_OK) {
        pld_tensor_file_close(&opened);
        return status;
    }
    *file = opened;
    return PLD_OK;
}

pld_status pld_tensor_file_create_random(const char *header, size_t length, uint64_t data_bytes,
                                         pld_tensor_file **file, pld_error *error) {
    *file = NULL;
    pld_tensor_file *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "random weights");
    }
    atomic_init(&made->owners, 1);
    pld_status status = pld_safetensors_header_parse(header, length, (uint64_t)length, data_bytes,
                                                     pld_tensor_file_path(made), &made->header, error);
    if (status != PLD_OK) {
        pld_tensor_file_close(&made);
        return status;
    }
    *file = made;
    return PLD_OK;
}

pld_tensor_file *pld_tensor_file_share(pld_tensor_file *file) {
    atomic_fetch_add(&file->owners, 1);
    return file;
}

void pld_tensor_file_close(pld_tensor_file **file) {
    pld_tensor_file *closed = *file;
    *file = NULL;
    if (closed && atomic_fetch_sub(&closed->owners, 1) == 1) {
        pld_tensor_table_free(&closed->header);
        pld_mapping_close(&closed->source);
        pld_free(closed);
    }
}

bool pld_tensor_file_is_random(const pld_tensor_file *file) {
    return !file->source;
}

const char *pld_tensor_file_format(const pld_tensor_file *file) {
    return file->format ? file->format->name : "random";
}

const char *pld_tensor_file_path(const pld_tensor_file *file) {
    return file->source ? pld_mapping_path(file->source) : "random weights";
}

size_t pld_tensor_file_count(const pld_tensor_file *file) {
    return file->header.count;
}

const pld_stored_tensor *pld_tensor_file_at(const pld_tensor_file *file, size_t index) {
    return index < file->header.count ? &file->header.tensors[index] : NULL;
}

const pld_stored_tensor *pld_tensor_file_find(const pld_tensor_file *file, const char *name) {
    return pld_tensor_table_find(&file->header, name);
}

size_t pld_tensor_file_metadata_count(const pld_tensor_file *file) {
    return file->header.metadata_count;
}

const char *pld_tensor_file_metadata_key(const pld_tensor_file *file, size_t index) {
    return index < file->header.metadata_count ? file->header.metadata[index].key : NULL;
}

const char *pld_tensor_file_metadata_value(const pld_tensor_file *file, size_t index) {
    return index < file->header.metadata_count ? file->header.metadata[index].value : NULL;
}

const char *pld_tensor_file_metadata_find(const pld_tensor_file *file, const char *key) {
    for (size_t i = 0; i < file->header.metadata_count; i++) {
        if (strcmp(file->header.metadata[i].key, key) == 0) {
            return file->header.metadata[i].value;
        }
    }
    return NULL;
}

pld_status pld_tensor_file_read(const pld_tensor_file *file, const pld_stored_tensor *tensor,
                                size_t first_byte, size_t bytes, void *destination, pld_error *error) {
    if (first_byte > tensor->bytes || bytes > tensor->bytes - first_byte) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "%s: tensor '%s' has %zu bytes; %zu from byte %zu were asked for",
                        pld_tensor_file_path(file), tensor->name, tensor->bytes, bytes, first_byte);
    }
    if (!file->source) {
        pld_random_weights_read(tensor, first_byte, bytes, destination);
        return PLD_OK;
    }
    return pld_mapping_read(file->source, tensor->offset + first_byte, bytes, destination, tensor->name,
                            error);
}

pld_status pld_tensor_file_check(const pld_tensor_file *file, const pld_stored_tensor *tensor,
                                 pld_error *error) {
    return file->source ? pld_mapping_check(file->source, tensor->name, error) : PLD_OK;
}

void pld_tensor_file_expect(const pld_tensor_file *file, const pld_stored_tensor *tensor, size_t first_byte,
                            size_t bytes) {
    if (file->source && first_byte <= tensor->bytes && bytes <= tensor->bytes - first_byte) {
        pld_mapping_expect(file->source, tensor->offset + first_byte, bytes);
    }
}
