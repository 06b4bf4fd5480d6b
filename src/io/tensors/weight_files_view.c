/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors under other names. Parts are runs of rows, so they are places in the file like any tensor; only a
 * transpose, and rows in another order, need to be known by who reads them. */
#include <string.h>

#include "core/memory.h"
#include "io/tensors/weight_files_internal.h"

/** Cut `*tensor` down to the rows of an alias. Rows beyond the last are bytes that come first in the file, `*turned`. */
static pld_status cut_rows(const pld_row_part *rows, const char *path, const char *original,
                           pld_stored_tensor *tensor, uint64_t *turned, pld_error *error) {
    char shape[96];
    if (tensor->rank < 1 || tensor->shape[0] % rows->of != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected a number of rows divisible by %d, found shape %s", path,
                        original, rows->of, pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape));
    }
    const uint64_t part = tensor->bytes / (uint64_t)rows->of;
    if (part % pld_dtype_size(tensor->dtype) != 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s': expected parts of whole blocks of %zu, found shape %s in %d parts",
                        path, original, pld_dtype_block(tensor->dtype),
                        pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape), rows->of);
    }
    if (rows->first + rows->count > rows->of) { /* all rows, from another one on */
        *turned = part * (uint64_t)rows->first;
        return PLD_OK;
    }
    tensor->shape[0] = tensor->shape[0] / rows->of * rows->count;
    tensor->bytes = (size_t)part * (size_t)rows->count;
    tensor->offset += part * (uint64_t)rows->first;
    return PLD_OK;
}

/** Describe one alias of `source` at `*tensor`, whose name is set. */
static pld_status describe(const pld_weight_alias *alias, const pld_weight *source, pld_stored_tensor *tensor,
                           uint64_t *turned, pld_error *error) {
    const char *name = tensor->name;
    const char *path = pld_tensor_file_path(source->file);
    char shape[96];
    *tensor = *source->tensor;
    tensor->name = name;
    pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape);
    if (alias->rows.count > 0) {
        PLD_TRY(cut_rows(&alias->rows, path, source->tensor->name, tensor, turned, error));
    }
    if (alias->transposed) {
        if (source->row_scales) {
            return pld_fail(
                error, PLD_ERROR_UNSUPPORTED,
                "%s: tensor '%s': its rows have scales, which is not supported of a matrix that is "
                "stored the other way round",
                path, source->tensor->name);
        }
        if (tensor->rank != 2) {
            return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected a matrix, found shape %s",
                            path, source->tensor->name, shape);
        }
        tensor->shape[0] = source->tensor->shape[1];
        tensor->shape[1] = source->tensor->shape[0];
    }
    while (alias->flattened && tensor->rank > 2 && tensor->shape[tensor->rank - 1] == 1) {
        tensor->rank--;
    }
    return PLD_OK;
}

/** The scales of its rows go with a part of a matrix. */
static size_t first_scale(const pld_weight_alias *alias, const pld_weight *source,
                          const pld_stored_tensor *tensor) {
    const bool part = alias->rows.count > 0 && tensor->shape[0] < source->tensor->shape[0];
    const size_t step = part ? (size_t)source->tensor->shape[0] / (size_t)alias->rows.of : 0;
    return source->first_scale + step * (size_t)alias->rows.first;
}

/** Make the tables of a view. Its fields are freed by the caller on failure. */
static pld_status allocate(const pld_weight_files *base, const pld_weight_alias *aliases, size_t count,
                           pld_weight_files *view, pld_error *error) {
    size_t names = 1;
    for (size_t i = 0; i < count; i++) {
        names += strlen(aliases[i].name) + 1;
    }
    view->files = pld_allocate(base->file_count, sizeof(pld_tensor_file *));
    view->weights = pld_allocate(count, sizeof *view->weights);
    view->by_name = pld_allocate(count, sizeof *view->by_name);
    view->aliases = pld_allocate(count, sizeof *view->aliases);
    view->alias_names = pld_allocate(names, 1);
    view->variant = pld_copy_string(base->variant);
    if (!view->files || !view->weights || !view->by_name || !view->aliases || !view->alias_names ||
        !view->variant) {
        return pld_fail_memory(error, count * sizeof *view->aliases + names, "list of weights");
    }
    return PLD_OK;
}

static pld_status fill(const pld_weight_files *base, const pld_weight_alias *aliases, size_t count,
                       pld_weight_files *view, pld_error *error) {
    PLD_TRY(allocate(base, aliases, count, view, error));
    for (; view->file_count < base->file_count; view->file_count++) {
        view->files[view->file_count] = pld_tensor_file_share(base->files[view->file_count]);
    }
    char *name = view->alias_names;
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(aliases[i].name) + 1;
        const pld_weight *source = &base->weights[aliases[i].source];
        pld_stored_tensor *tensor = &view->aliases[i];
        tensor->name = memcpy(name, aliases[i].name, size);
        name += size;
        uint64_t turned = source->turned;
        PLD_TRY(describe(&aliases[i], source, tensor, &turned, error));
        view->weights[i] = (pld_weight){.file = source->file,
                                        .tensor = tensor,
                                        .index = i,
                                        .scale = source->scale,
                                        .row_scales = source->row_scales,
                                        .scales_file = source->scales_file,
                                        .first_scale = first_scale(&aliases[i], source, tensor),
                                        .transposed = source->transposed || aliases[i].transposed,
                                        .turned = turned};
        view->count++;
    }
    pld_weight_files_sort(view);
    for (size_t i = 1; i < count; i++) {
        const char *twice = view->by_name[i].tensor->name;
        if (strcmp(view->by_name[i - 1].tensor->name, twice) == 0) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: two tensors of the file stand for '%s'; the checkpoint is malformed: use "
                            "another version of it",
                            pld_tensor_file_path(view->by_name[i].file), twice);
        }
    }
    return PLD_OK;
}

pld_status pld_weight_files_view(const pld_weight_files *base, const pld_weight_alias *aliases, size_t count,
                                 pld_weight_files **view, pld_error *error) {
    *view = NULL;
    pld_weight_files *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "list of weights");
    }
    pld_status status = fill(base, aliases, count, made, error);
    if (status != PLD_OK) {
        pld_weight_files_close(&made);
        return status;
    }
    *view = made;
    return PLD_OK;
}
