/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/gguf_write.h"

#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "io/tensors/gguf_types.h"

enum { VERSION = 3, QUANTISATION_VERSION = 2 };

/** The header in the making. After the first failure nothing is added, so that only the end asks. */
typedef struct header {
    uint8_t *bytes; /* [used] */
    size_t used, capacity;
    uint64_t pairs;
    bool failed;
} header;

static void add(header *h, const void *bytes, size_t count) {
    h->failed = h->failed || !pld_grow((void **)&h->bytes, &h->capacity, h->used + count, 1);
    if (!h->failed) {
        memcpy(h->bytes + h->used, bytes, count);
        h->used += count;
    }
}

static void add_number(header *h, uint64_t value, size_t bytes) {
    uint8_t little[8];
    for (size_t i = 0; i < bytes; i++) {
        little[i] = (uint8_t)(value >> (8 * i));
    }
    add(h, little, bytes);
}

static void add_text(header *h, const char *text) {
    add_number(h, strlen(text), 8);
    add(h, text, strlen(text));
}

static void add_key(header *h, const char *key, pld_gguf_value type) {
    h->pairs++;
    add_text(h, key);
    add_number(h, (uint64_t)type, 4);
}

static void add_u32(header *h, const char *key, uint32_t value) {
    add_key(h, key, PLD_GGUF_U32);
    add_number(h, value, 4);
}

static void add_string(header *h, const char *key, const char *value) {
    add_key(h, key, PLD_GGUF_STRING);
    add_text(h, value);
}

/** The shape of a tensor that will be written with another one. */
static pld_status add_shape(header *h, const pld_tensor_entry *entry, pld_error *error) {
    char *key = pld_format(PLD_GGUF_ORIGINAL_SHAPE "%s", entry->name);
    if (!key) {
        return pld_fail_memory(error, strlen(entry->name), entry->name);
    }
    add_key(h, key, PLD_GGUF_ARRAY);
    add_number(h, PLD_GGUF_I32, 4);
    add_number(h, (uint64_t)entry->tensor.rank, 8);
    for (int i = 0; i < entry->tensor.rank; i++) {
        add_number(h, (uint64_t)entry->tensor.shape[i], 4);
    }
    pld_free(key);
    return PLD_OK;
}

static pld_status add_pairs(header *h, const pld_gguf_facts *facts, const pld_tensor_entry *entries,
                            size_t count, pld_error *error) {
    add_string(h, "general.architecture", facts->architecture);
    add_u32(h, "general.quantization_version", QUANTISATION_VERSION);
    add_u32(h, "general.alignment", PLD_GGUF_ALIGNMENT);
    if (facts->file_type >= 0) {
        add_u32(h, "general.file_type", (uint32_t)facts->file_type);
    }
    for (size_t i = 0; facts->texts && facts->texts[i]; i += 2) {
        add_string(h, facts->texts[i], facts->texts[i + 1]);
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].tensor.rank > PLD_GGUF_DIMENSIONS) {
            PLD_TRY(add_shape(h, &entries[i], error));
        }
    }
    return PLD_OK;
}

/** Sizes, that of a row first. */
static void add_sizes(header *h, const pld_tensor *tensor) {
    const int rank = tensor->rank > PLD_GGUF_DIMENSIONS ? PLD_GGUF_DIMENSIONS : tensor->rank;
    add_number(h, rank > 0 ? (uint64_t)rank : 1, 4);
    if (rank == 0) {
        add_number(h, 1, 8);
    }
    for (int i = rank - 1; i >= 0; i--) {
        uint64_t size = (uint64_t)tensor->shape[i];
        for (int j = i + 1; i == PLD_GGUF_DIMENSIONS - 1 && j < tensor->rank; j++) {
            size *= (uint64_t)tensor->shape[j];
        }
        add_number(h, size, 8);
    }
}

static size_t padding_of(size_t bytes) {
    return (PLD_GGUF_ALIGNMENT - bytes % PLD_GGUF_ALIGNMENT) % PLD_GGUF_ALIGNMENT;
}

/** The list of tensors; sizes [count]. */
static pld_status add_tensors(header *h, const char *path, const pld_tensor_entry *entries, size_t count,
                              size_t *sizes, pld_error *error) {
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        const pld_tensor *tensor = &entries[i].tensor;
        const int64_t row = tensor->rank > 0 ? tensor->shape[tensor->rank - 1] : 1;
        uint32_t type = 0;
        if (!entries[i].name[0] || !pld_is_utf8(entries[i].name)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "%s: tensor '%s': the name must be UTF-8 and not empty", path, entries[i].name);
        }
        PLD_TRY(pld_tensor_entry_bytes(path, &entries[i], &sizes[i], error));
        if (!pld_gguf_type_number(tensor->dtype, &type) ||
            row % (int64_t)pld_dtype_block(tensor->dtype) != 0 || sizes[i] == 0) {
            return pld_fail(
                error, PLD_ERROR_ARGUMENT,
                "%s: tensor '%s': expected rows of whole blocks of a type that GGUF has, found %s in "
                "rows of %" PRId64,
                path, entries[i].name, pld_dtype_name(tensor->dtype), row);
        }
        add_text(h, entries[i].name);
        add_sizes(h, tensor);
        add_number(h, type, 4);
        add_number(h, offset, 8);
        offset += sizes[i] + padding_of(sizes[i]);
    }
    return PLD_OK;
}

/** Everything before the data. */
static pld_status make_header(header *h, const char *path, const pld_gguf_facts *facts,
                              const pld_tensor_entry *entries, size_t count, size_t *sizes,
                              pld_error *error) {
    header pairs = {0};
    pld_status status = add_pairs(&pairs, facts, entries, count, error);
    if (status == PLD_OK) {
        add(h, "GGUF", 4);
        add_number(h, VERSION, 4);
        add_number(h, count, 8);
        add_number(h, pairs.pairs, 8);
        add(h, pairs.bytes, pairs.used);
        status = add_tensors(h, path, entries, count, sizes, error);
    }
    h->failed = h->failed || pairs.failed;
    pld_free(pairs.bytes);
    return status == PLD_OK && h->failed ? pld_fail_memory(error, count * 64, path) : status;
}

static pld_status write_file(const char *path, const header *h, const pld_tensor_entry *entries, size_t count,
                             const size_t *sizes, const pld_tensor_source *from, pld_error *error) {
    static const uint8_t zeros[PLD_GGUF_ALIGNMENT];
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, from->cancel, &file, error));
    pld_status status = pld_atomic_file_write(file, h->bytes, h->used, error);
    if (status == PLD_OK) {
        status = pld_atomic_file_write(file, zeros, padding_of(h->used), error);
    }
    for (size_t i = 0; i < count && status == PLD_OK; i++) {
        status = pld_tensor_source_write(from, file, &entries[i], i, sizes[i], error);
        if (status == PLD_OK) {
            status = pld_atomic_file_write(file, zeros, padding_of(sizes[i]), error);
        }
    }
    if (status == PLD_OK) {
        status = pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}

bool pld_gguf_has_type(pld_dtype dtype) {
    uint32_t number = 0;
    return pld_gguf_type_number(dtype, &number);
}

pld_status pld_gguf_write_supplied(const char *path, const pld_gguf_facts *facts,
                                   const pld_tensor_entry *entries, size_t count, pld_tensor_supplier supply,
                                   void *user, const volatile int *cancel, pld_error *error) {
    header h = {0};
    const pld_tensor_source from = {supply, user, pld_allocate(PLD_SUPPLIED_BYTES, 1), cancel};
    size_t *sizes = pld_allocate(count, sizeof *sizes);
    pld_status status = from.block && sizes ? make_header(&h, path, facts, entries, count, sizes, error)
                                            : pld_fail_memory(error, PLD_SUPPLIED_BYTES, path);
    if (status == PLD_OK) {
        status = write_file(path, &h, entries, count, sizes, &from, error);
    }
    pld_free(h.bytes);
    pld_free(from.block);
    pld_free(sizes);
    return status;
}
