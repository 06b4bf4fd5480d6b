/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/tensor_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

pld_status pld_tensor_table_allocate(pld_tensor_table *table, const char *path, size_t tensors, size_t pairs,
                                     size_t string_bytes, pld_error *error) {
    *table = (pld_tensor_table){.strings_size = string_bytes};
    table->tensors = pld_allocate(tensors, sizeof *table->tensors);
    table->by_name = pld_allocate(tensors, sizeof(const pld_stored_tensor *));
    table->metadata = pld_allocate(pairs, sizeof *table->metadata);
    table->strings = pld_allocate(string_bytes, 1);
    return table->tensors && table->by_name && table->metadata && table->strings
               ? PLD_OK
               : pld_fail_memory(error, tensors * sizeof *table->tensors + string_bytes, path);
}

void pld_tensor_table_free(pld_tensor_table *table) {
    pld_free(table->tensors);
    pld_free((void *)table->by_name);
    pld_free(table->metadata);
    pld_free(table->strings);
    *table = (pld_tensor_table){0};
}

const char *pld_tensor_table_store(pld_tensor_table *table, const char *text, size_t length) {
    char *copy = table->strings + table->strings_used;
    memcpy(copy, text, length);
    copy[length] = '\0';
    table->strings_used += length + 1;
    return copy;
}

pld_status pld_tensor_name_check(const char *path, const char *name, pld_error *error) {
    const size_t length = strlen(name);
    bool good = length > 0 && length <= PLD_TENSOR_NAME_BYTES;
    for (const unsigned char *c = (const unsigned char *)name; good && *c; c++) {
        good = *c >= 0x20 && *c != 0x7f && !(c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
    }
    return good ? PLD_OK
                : pld_fail(error, PLD_ERROR_FORMAT,
                           "%s: expected tensor names of 1 to %d bytes without control characters, found "
                           "'%.80s'",
                           path, (int)PLD_TENSOR_NAME_BYTES, name);
}

pld_status pld_stored_tensor_measure(const char *path, pld_stored_tensor *tensor, pld_error *error) {
    size_t elements = 0;
    char shape[192];
    pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape);
    if (!pld_shape_elements(tensor->shape, tensor->rank, pld_dtype_size(tensor->dtype), &elements)) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': shape %s is larger than any memory", path,
                        tensor->name, shape);
    }
    return pld_dtype_bytes(tensor->dtype, elements, &tensor->bytes)
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT,
                          "%s: tensor '%s': shape %s of %s does not fill whole bytes or blocks of %zu", path,
                          tensor->name, shape, pld_dtype_stored_name(tensor->dtype),
                          pld_dtype_block(tensor->dtype));
}

static int compare_offsets(const void *left, const void *right) {
    const pld_stored_tensor *a = left;
    const pld_stored_tensor *b = right;
    if (a->offset != b->offset) {
        return a->offset < b->offset ? -1 : 1;
    }
    if (a->bytes != b->bytes) {
        return a->bytes < b->bytes ? -1 : 1; /* empty tensors first */
    }
    return strcmp(a->name, b->name);
}

static int compare_names(const void *left, const void *right) {
    const pld_stored_tensor *const *a = left;
    const pld_stored_tensor *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static int compare_keys(const void *left, const void *right) {
    return strcmp(((const pld_metadata_pair *)left)->key, ((const pld_metadata_pair *)right)->key);
}

pld_status pld_tensor_table_finish(pld_tensor_table *table, const char *path, pld_error *error) {
    qsort(table->tensors, table->count, sizeof *table->tensors, compare_offsets);
    qsort(table->metadata, table->metadata_count, sizeof *table->metadata, compare_keys);
    for (size_t i = 0; i < table->count; i++) {
        table->by_name[i] = &table->tensors[i];
    }
    qsort(table->by_name, table->count, sizeof(const pld_stored_tensor *), compare_names);
    for (size_t i = 1; i < table->count; i++) {
        const pld_stored_tensor *before = &table->tensors[i - 1], *tensor = &table->tensors[i];
        if (before->bytes > tensor->offset - before->offset) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: tensor '%s': its data begins inside another's: it overlaps '%s'", path,
                            tensor->name, before->name);
        }
        if (strcmp(table->by_name[i - 1]->name, table->by_name[i]->name) == 0) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s' is there twice", path,
                            table->by_name[i]->name);
        }
    }
    for (size_t i = 1; i < table->metadata_count; i++) {
        if (strcmp(table->metadata[i - 1].key, table->metadata[i].key) == 0) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: '%.80s' is said twice", path,
                            table->metadata[i].key);
        }
    }
    return PLD_OK;
}

pld_stored_tensor *pld_tensor_table_find(const pld_tensor_table *table, const char *name) {
    size_t begin = 0;
    size_t end = table->count;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        const int order = strcmp(name, table->by_name[middle]->name);
        if (order == 0) {
            return &table->tensors[table->by_name[middle] - table->tensors];
        }
        if (order < 0) {
            end = middle;
        } else {
            begin = middle + 1;
        }
    }
    return NULL;
}
