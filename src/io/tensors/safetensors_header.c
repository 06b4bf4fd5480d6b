/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/formats.h"

#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"

enum { MOST_VALUES = 1 << 19 /* near 58 thousand tensors. A hostile header is refused in a second */ };

static const char metadata_name[] = "__metadata__";

/** What every check of one header needs to know. */
typedef struct header_context {
    const char *path;
    uint64_t data_begin;
    uint64_t data_size;
    pld_tensor_table *header;
} header_context;

static const char *store_string(pld_tensor_table *table, const char *text) {
    return pld_tensor_table_store(table, text, strlen(text));
}

/** Read "shape": rank and dimensions. */
static pld_status parse_shape(const header_context *at, const json_t *list, pld_stored_tensor *tensor,
                              pld_error *error) {
    if (!json_is_array(list) || json_array_size(list) > PLD_MAX_RANK) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected 'shape' with at most %d dimensions, found %s", at->path,
                        tensor->name, (int)PLD_MAX_RANK, json_is_array(list) ? "more" : "something else");
    }
    tensor->rank = (int)json_array_size(list);
    for (int i = 0; i < tensor->rank; i++) {
        const json_t *size = json_array_get(list, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: tensor '%s': expected whole numbers from 0 in 'shape', found something else "
                            "at position %d",
                            at->path, tensor->name, i);
        }
        tensor->shape[i] = json_integer_value(size);
    }
    return PLD_OK;
}

/** Read "data_offsets" and check that they lie inside the data. */
static pld_status parse_offsets(const header_context *at, const json_t *list, pld_stored_tensor *tensor,
                                pld_error *error) {
    const json_t *begin = json_array_get(list, 0);
    const json_t *end = json_array_get(list, 1);
    if (json_array_size(list) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected 'data_offsets' to be two whole numbers [begin, end] with "
                        "0 <= begin <= end",
                        at->path, tensor->name);
    }
    uint64_t first = (uint64_t)json_integer_value(begin);
    uint64_t last = (uint64_t)json_integer_value(end);
    if (last > at->data_size || last - first > SIZE_MAX) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s' ends at data byte %" PRIu64 ", but the file holds only %" PRIu64
                        " bytes of data; it is cut short or damaged: download it again",
                        at->path, tensor->name, last, at->data_size);
    }
    tensor->offset = at->data_begin + first;
    tensor->bytes = (size_t)(last - first);
    return PLD_OK;
}

/** Read one entry of the header and check it by itself. */
static pld_status parse_tensor(const header_context *at, const char *name, const json_t *entry,
                               pld_stored_tensor *tensor, pld_error *error) {
    PLD_TRY(pld_tensor_name_check(at->path, name, error));
    tensor->name = store_string(at->header, name);
    const json_t *type = json_object_get(entry, "dtype");
    if (!json_is_object(entry) || !json_is_string(type)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected an object with 'dtype', 'shape' and 'data_offsets'",
                        at->path, name);
    }
    tensor->dtype = pld_dtype_from_stored_name(json_string_value(type));
    if (tensor->dtype == PLD_DTYPE_COUNT) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s': expected a known 'dtype' such as F32, F16 or BF16, found '%.40s'",
                        at->path, name, json_string_value(type));
    }
    PLD_TRY(parse_shape(at, json_object_get(entry, "shape"), tensor, error));
    PLD_TRY(parse_offsets(at, json_object_get(entry, "data_offsets"), tensor, error));
    const size_t bytes = tensor->bytes;
    PLD_TRY(pld_stored_tensor_measure(at->path, tensor, error));
    if (bytes != tensor->bytes) {
        char shape[192];
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': shape %s of %s needs %zu bytes, but 'data_offsets' span %zu",
                        at->path, name, pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape),
                        pld_dtype_stored_name(tensor->dtype), tensor->bytes, bytes);
    }
    return PLD_OK;
}

static pld_status parse_metadata(const header_context *at, const json_t *object, pld_error *error) {
    if (json_is_null(object)) {
        return PLD_OK; /* the format allows it: none */
    }
    if (!json_is_object(object)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: expected '%s' to be an object of strings", at->path,
                        metadata_name);
    }
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)object, key, value) {
        if (!json_is_string(value)) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: %s: expected '%.80s' to be a string", at->path,
                            metadata_name, key);
        }
        pld_metadata_pair *pair = &at->header->metadata[at->header->metadata_count++];
        pair->key = store_string(at->header, key);
        pair->value = store_string(at->header, json_string_value(value));
    }
    return PLD_OK;
}

/** The tensors, sorted by offset, must cover the data from end to end without overlap. */
static pld_status check_coverage(const header_context *at, pld_error *error) {
    const pld_tensor_table *header = at->header;
    uint64_t end = at->data_begin;
    for (size_t i = 0; i < header->count; i++) {
        const pld_stored_tensor *tensor = &header->tensors[i];
        if (tensor->offset != end) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: tensor '%s': expected its data at byte %" PRIu64 ", found it at %" PRIu64
                            " (there is a gap after '%s')",
                            at->path, tensor->name, end - at->data_begin, tensor->offset - at->data_begin,
                            i ? header->tensors[i - 1].name : "the header");
        }
        end += tensor->bytes;
    }
    if (end != at->data_begin + at->data_size) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: expected %" PRIu64 " bytes of data, found %" PRIu64
                        "; the bytes after the last tensor belong to no tensor",
                        at->path, end - at->data_begin, at->data_size);
    }
    return PLD_OK;
}

/** Allocate what the entries of `root` will fill. */
static pld_status allocate_tables(const header_context *at, const json_t *root, pld_error *error) {
    const json_t *metadata = json_object_get(root, metadata_name);
    size_t entries = json_object_size(root);
    size_t string_bytes = 1;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)root, key, value) {
        string_bytes += strlen(key) + 1;
    }
    json_object_foreach((json_t *)metadata, key, value) {
        string_bytes += strlen(key) + 1 + json_string_length(value) + 1;
    }
    return pld_tensor_table_allocate(at->header, at->path, entries, json_object_size(metadata), string_bytes,
                                     error);
}

/** Fill the tables from the parsed header, then sort and check them as a whole. */
static pld_status fill_tables(const header_context *at, const json_t *root, pld_error *error) {
    if (!json_is_object(root)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: expected the header to be a JSON object", at->path);
    }
    pld_tensor_table *header = at->header;
    PLD_TRY(allocate_tables(at, root, error));
    const char *name = NULL;
    json_t *entry = NULL;
    json_object_foreach((json_t *)root, name, entry) {
        if (strcmp(name, metadata_name) == 0) {
            PLD_TRY(parse_metadata(at, entry, error));
        } else {
            PLD_TRY(parse_tensor(at, name, entry, &header->tensors[header->count], error));
            header->count++;
        }
    }
    PLD_TRY(pld_tensor_table_finish(header, at->path, error));
    return check_coverage(at, error);
}

pld_status pld_safetensors_header_parse(const char *json, size_t length, uint64_t data_begin,
                                        uint64_t data_size, const char *path, pld_tensor_table *table,
                                        pld_error *error) {
    *table = (pld_tensor_table){0};
    json_t *root = NULL;
    PLD_TRY(pld_json_parse_bounded(json, length, MOST_VALUES, path, &root, error));
    header_context at = {path, data_begin, data_size, table};
    pld_status status = fill_tables(&at, root, error);
    json_decref(root);
    if (status != PLD_OK) {
        pld_tensor_table_free(table);
    }
    return status;
}
