/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/utf8.h"
#include "io/json/build.h"
#include "io/tensors/safetensors_write.h"

static const char metadata_name[] = "__metadata__";

/** A tensor with its place in the file that is being written. */
typedef struct placed_tensor {
    const pld_tensor_entry *entry;
    size_t position; /* in the caller's list, which ties keep */
    size_t bytes;
} placed_tensor;

/** Wide types first: the data begins at a multiple of 8 and there are no gaps, so each tensor is aligned. */
static int compare_placed(const void *left, const void *right) {
    const placed_tensor *a = left;
    const placed_tensor *b = right;
    size_t size_a = pld_dtype_size(a->entry->tensor.dtype);
    size_t size_b = pld_dtype_size(b->entry->tensor.dtype);
    if (size_a != size_b) {
        return size_a > size_b ? -1 : 1;
    }
    return (a->position > b->position) - (a->position < b->position);
}

/** Find every tensor's size and order. `placed` [count]. */
static pld_status place_tensors(const char *path, const pld_tensor_entry *entries, size_t count,
                                placed_tensor *placed, pld_error *error) {
    for (size_t i = 0; i < count; i++) {
        placed[i] = (placed_tensor){&entries[i], i, 0};
        PLD_TRY(pld_tensor_entry_bytes(path, &entries[i], &placed[i].bytes, error));
    }
    qsort(placed, count, sizeof *placed, compare_placed);
    return PLD_OK;
}

/** {"dtype", "shape", "data_offsets"} of one tensor, or NULL when memory is out. */
static json_t *describe_tensor(const placed_tensor *placed, size_t begin) {
    const pld_tensor *tensor = &placed->entry->tensor;
    pld_json_builder builder = {0};
    json_t *shape = json_array();
    for (int i = 0; i < tensor->rank; i++) {
        pld_json_append(&builder, shape, json_integer(tensor->shape[i]));
    }
    json_t *description =
        json_pack("{s:s, s:o, s:[I, I]}", "dtype", pld_dtype_stored_name(tensor->dtype), "shape", shape,
                  "data_offsets", (json_int_t)begin, (json_int_t)begin + (json_int_t)placed->bytes);
    return pld_json_finish(&builder, description);
}

/** Fill `metadata` (an object). */
static pld_status describe_metadata(const char *path, const char *const *pairs, json_t *metadata,
                                    pld_error *error) {
    pld_json_builder builder = {0};
    for (size_t i = 0; pairs[i]; i += 2) {
        if (!pld_is_utf8(pairs[i]) || !pairs[i + 1] || !pld_is_utf8(pairs[i + 1])) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: metadata must be pairs of UTF-8 strings", path);
        }
        pld_json_put(&builder, metadata, pairs[i], json_string(pairs[i + 1]));
    }
    return builder.failed ? pld_fail_memory(error, 256, path) : PLD_OK;
}

/** Fill `root` with the whole header. */
static pld_status describe_all(const char *path, const placed_tensor *placed, size_t count,
                               const char *const *pairs, json_t *root, pld_error *error) {
    pld_json_builder builder = {0};
    if (pairs) {
        pld_json_put(&builder, root, metadata_name, json_object());
        PLD_TRY(describe_metadata(path, pairs, json_object_get(root, metadata_name), error));
    }
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = placed[i].entry->name;
        if (!name[0] || strcmp(name, metadata_name) == 0 || json_object_get(root, name)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "%s: tensor '%s': expected names that are not empty, reserved or used twice",
                            path, name);
        }
        if (!pld_is_utf8(name)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: tensor '%s': the name must be UTF-8", path, name);
        }
        pld_json_put(&builder, root, name, describe_tensor(&placed[i], begin));
        if (!pld_add(begin, placed[i].bytes, &begin)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: the tensors are larger than any file", path);
        }
    }
    return builder.failed ? pld_fail_memory(error, count * sizeof(json_t), path) : PLD_OK;
}

/** The header as bytes of the file: length, JSON, spaces up to a multiple of 8. */
static pld_status write_header(pld_atomic_file *file, const char *path, const json_t *root,
                               pld_error *error) {
    char *text = pld_json_dump(root, JSON_COMPACT);
    if (!text) {
        return pld_fail_memory(error, json_object_size(root), path);
    }
    static const char spaces[] = "       ";
    size_t used = strlen(text);
    size_t padding = (8 - used % 8) % 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)((uint64_t)(used + padding) >> (8 * i));
    }
    pld_status status = pld_atomic_file_write(file, length, sizeof length, error);
    if (status == PLD_OK) {
        status = pld_atomic_file_write(file, text, used, error);
    }
    if (status == PLD_OK) {
        status = pld_atomic_file_write(file, spaces, padding, error);
    }
    pld_free(text);
    return status;
}

/** Write header and data to a temporary file and give it its name. */
static pld_status write_file(const char *path, const json_t *root, const placed_tensor *placed, size_t count,
                             const pld_tensor_source *from, pld_error *error) {
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, from->cancel, &file, error));
    pld_status status = write_header(file, path, root, error);
    for (size_t i = 0; i < count && status == PLD_OK; i++) {
        status =
            pld_tensor_source_write(from, file, placed[i].entry, placed[i].position, placed[i].bytes, error);
    }
    if (status == PLD_OK) {
        status = pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}

static pld_status write_from(const char *path, const pld_tensor_entry *entries, size_t count,
                             const char *const *metadata_pairs, const pld_tensor_source *from,
                             pld_error *error) {
    placed_tensor *placed = pld_allocate(count, sizeof *placed);
    json_t *root = json_object();
    pld_status status = placed && root ? place_tensors(path, entries, count, placed, error)
                                       : pld_fail_memory(error, count * sizeof *placed, path);
    if (status == PLD_OK) {
        status = describe_all(path, placed, count, metadata_pairs, root, error);
    }
    if (status == PLD_OK) {
        status = write_file(path, root, placed, count, from, error);
    }
    json_decref(root);
    pld_free(placed);
    return status;
}

pld_status pld_safetensors_write(const char *path, const pld_tensor_entry *entries, size_t count,
                                 const char *const *metadata_pairs, pld_error *error) {
    const pld_tensor_source from = {0};
    return write_from(path, entries, count, metadata_pairs, &from, error);
}

pld_status pld_safetensors_write_supplied(const char *path, const pld_tensor_entry *entries, size_t count,
                                          const char *const *metadata_pairs, pld_tensor_supplier supply,
                                          void *user, const volatile int *cancel, pld_error *error) {
    pld_tensor_source from = {supply, user, pld_allocate(PLD_SUPPLIED_BYTES, 1), cancel};
    pld_status status = from.block ? write_from(path, entries, count, metadata_pairs, &from, error)
                                   : pld_fail_memory(error, PLD_SUPPLIED_BYTES, path);
    pld_free(from.block);
    return status;
}
