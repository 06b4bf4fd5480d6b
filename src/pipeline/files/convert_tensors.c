/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a file that is written: where each comes from, and its numbers in another type. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/cancel.h"
#include "core/memory.h"
#include "core/text.h"
#include "io/tensors/safetensors_write.h"
#include "nn/weight_values.h"
#include "pipeline/files/convert.h"

/** A new item; its name is taken over. */
static pld_converted *append(pld_conversion *conversion, char *name) {
    if (!name || !pld_grow((void **)&conversion->items, &conversion->capacity, conversion->count + 1,
                           sizeof *conversion->items)) {
        pld_free(name);
        return NULL;
    }
    pld_converted *item = &conversion->items[conversion->count++];
    *item = (pld_converted){.name = name};
    return item;
}

/** The type that a weight is written in: integers keep theirs; blocks, which safetensors does not have, and scaled values become
 * float16. */
static pld_dtype written_type(const pld_conversion *conversion, const pld_weight *weight) {
    const pld_dtype stored = weight->tensor->dtype;
    const bool kept = conversion->dtype == PLD_DTYPE_COUNT || !pld_dtype_is_float(stored);
    return !kept                                                  ? conversion->dtype
           : pld_dtype_is_quantised(stored) || weight->scale != 0 ? PLD_DTYPE_F16
                                                                  : stored;
}

/** `stored`: of which the shape is; the weight's own tensor, or its transpose. */
static void describe(const pld_conversion *conversion, const pld_weight *weight,
                     const pld_stored_tensor *stored, pld_converted *item) {
    item->tensor.dtype = written_type(conversion, weight);
    item->tensor.rank = stored->rank;
    memcpy(item->tensor.shape, stored->shape, sizeof stored->shape);
}

/** Open a part and keep the view until pld_conversion_clear. */
static pld_status open_view(pld_conversion *conversion, const pld_component *part, pld_weight_files **view,
                            pld_error *error) {
    PLD_TRY(pld_model_source_weights(&conversion->model->source, part->row, part->class, part->config, NULL,
                                     view, error));
    conversion->views[conversion->view_count++] = *view;
    return PLD_OK;
}

/** Whether a list that ends with NULL (NULL: an empty one) has the name. */
static bool is_among(const char *const *names, const char *name) {
    while (names && *names && strcmp(name, *names) != 0) {
        names++;
    }
    return names && *names;
}

static bool has_name(const void *user, const char *name) {
    pld_weight weight;
    return pld_weight_files_find(user, name, &weight);
}

/** The matrix that the files of a text encoder lack, and mean the identity by; of the type that its other tensors have. */
static pld_status add_identity(pld_conversion *conversion, const pld_component *part, pld_dtype dtype,
                               pld_error *error) {
    pld_converted *item = append(conversion, pld_copy_string(part->class->identity));
    if (!item) {
        return pld_fail_memory(error, sizeof *item, "list of tensors");
    }
    item->identity = true;
    item->tensor =
        (pld_tensor){.dtype = dtype, .rank = 2, .shape = {part->text.projection, part->text.projection}};
    return PLD_OK;
}

pld_status pld_conversion_add_part(pld_conversion *conversion, const pld_component *part, pld_error *error) {
    pld_weight_files *view = NULL;
    PLD_TRY(open_view(conversion, part, &view, error));
    for (size_t i = 0; i < pld_weight_files_count(view); i++) {
        const pld_weight weight = pld_weight_files_at(view, i);
        if (is_among(part->class->unsaved, weight.tensor->name)) {
            continue;
        }
        pld_converted *item = append(conversion, pld_copy_string(weight.tensor->name));
        if (!item) {
            return pld_fail_memory(error, sizeof *item, "list of tensors");
        }
        describe(conversion, &weight, weight.tensor, item);
        item->sources[item->source_count++] = weight;
    }
    const char *identity = part->class->identity;
    return identity && conversion->count > 0 && !has_name(view, identity)
               ? add_identity(conversion, part, conversion->items[0].tensor.dtype, error)
               : PLD_OK;
}

/** The item of this name among those from `first` on, or NULL. */
static pld_converted *find_item(pld_conversion *conversion, size_t first, const char *name) {
    for (size_t i = first; i < conversion->count; i++) {
        if (strcmp(conversion->items[i].name, name) == 0) {
            return &conversion->items[i];
        }
    }
    return NULL;
}

/** The transpose of a matrix: its shape exchanged, and read the other way round. */
static pld_status place_transpose(pld_weight weight, pld_converted *item, pld_error *error) {
    item->own = pld_allocate(1, sizeof *item->own);
    if (!item->own || weight.tensor->rank != 2) {
        return item->own
                   ? pld_fail(error, PLD_ERROR_FORMAT, "tensor '%s': expected a matrix", weight.tensor->name)
                   : pld_fail_memory(error, sizeof *item->own, "list of tensors");
    }
    *item->own = *weight.tensor;
    item->own->shape[0] = weight.tensor->shape[1];
    item->own->shape[1] = weight.tensor->shape[0];
    weight.tensor = item->own;
    weight.transposed = !weight.transposed;
    item->sources[item->source_count++] = weight;
    return PLD_OK;
}

/** Rows that are in another order there: the same tensor, read from another row on. */
static pld_status place_turned(pld_weight weight, pld_row_part rows, pld_converted *item, pld_error *error) {
    const pld_stored_tensor *stored = weight.tensor;
    if (stored->rank < 1 || stored->shape[0] % rows.of != 0 ||
        stored->bytes / (size_t)rows.of % pld_dtype_size(stored->dtype) != 0) {
        return pld_fail(error, PLD_ERROR_FORMAT, "tensor '%s': expected a number of rows divisible by %d",
                        stored->name, rows.of);
    }
    const uint64_t first = stored->bytes / (uint64_t)rows.of * (uint64_t)(rows.of - rows.first);
    weight.turned = (weight.turned + first) % stored->bytes;
    item->sources[item->source_count++] = weight;
    return PLD_OK;
}

/** Put a part of a fused tensor in its place among those that are there. */
static pld_status place_rows(const pld_conversion *conversion, pld_weight weight, pld_row_part rows,
                             pld_converted *item, pld_error *error) {
    const int64_t others = item->source_count ? item->tensor.shape[0] : 0;
    int at = item->source_count;
    if (at == PLD_MOST_SOURCES) {
        return pld_fail(error, PLD_ERROR_FORMAT, "tensor '%s': expected at most %d tensors to make it",
                        item->name, PLD_MOST_SOURCES);
    }
    for (; at > 0 && item->first[at - 1] > rows.first; at--) {
        item->sources[at] = item->sources[at - 1];
        item->first[at] = item->first[at - 1];
    }
    item->sources[at] = weight;
    item->first[at] = rows.first;
    item->source_count++;
    item->parts = rows.of;
    item->placed += rows.count;
    describe(conversion, &weight, weight.tensor, item);
    item->tensor.shape[0] += others;
    return PLD_OK;
}

/** Give a weight its place in an item, by how the original holds it. */
static pld_status place(const pld_conversion *conversion, pld_weight weight, const pld_renamed *original,
                        pld_converted *item, pld_error *error) {
    const pld_stored_tensor *stored = weight.tensor;
    const pld_name_form form = original->form;
    if (form == PLD_FORM_ROWS && original->rows.count < original->rows.of) {
        return place_rows(conversion, weight, original->rows, item, error);
    }
    if (form == PLD_FORM_ROWS) {
        describe(conversion, &weight, stored, item);
        return place_turned(weight, original->rows, item, error);
    }
    if (form == PLD_FORM_TRANSPOSED) {
        PLD_TRY(place_transpose(weight, item, error));
        describe(conversion, &weight, item->own, item);
        return PLD_OK;
    }
    describe(conversion, &weight, stored, item);
    item->sources[item->source_count++] = weight;
    if (form == PLD_FORM_CONV_1X1 && stored->rank == 2) {
        item->tensor.rank = 4;
        item->tensor.shape[2] = item->tensor.shape[3] = 1;
    }
    return PLD_OK;
}

/** A text encoder that has one layer less than files of its family: programs expect the unused one, so zeros
 * stand for it. */
static pld_status add_unused_layer(pld_conversion *conversion, const pld_part_layout *layout, size_t first,
                                   pld_error *error) {
    enum { MOST_BLOCKS = 1 << 16 };
    int last = -1;
    uint64_t number = 0;
    const size_t start = strlen(layout->prefix) + strlen(layout->own_layers);
    for (size_t i = first; i < conversion->count; i++) {
        if (strlen(conversion->items[i].name) > start &&
            pld_parse_natural(conversion->items[i].name + start, MOST_BLOCKS, &number, NULL)) {
            last = (int)number > last ? (int)number : last;
        }
    }
    const size_t end = conversion->count;
    for (size_t i = first; i < end && last >= 0; i++) {
        const char *tail = strlen(conversion->items[i].name) > start ? conversion->items[i].name + start : "";
        if (pld_parse_natural(tail, MOST_BLOCKS, &number, &tail) && (int)number == last) {
            pld_converted *item = append(
                conversion, pld_format("%s%s%d%s", layout->prefix, layout->own_layers, last + 1, tail));
            if (!item) {
                return pld_fail_memory(error, sizeof *item, "list of tensors");
            }
            item->tensor = conversion->items[i].tensor;
        }
    }
    return PLD_OK;
}

/** The name behind a prefix with which files of the class may hold the same names, as whole language models do in front of the
 * encoder within them: "model.". */
static const char *bare_name(const pld_part_class *class, const pld_part_layout *layout, const char *name) {
    const char *bare = name;
    for (const pld_part_layout *row = class->layouts; row->naming; row++) {
        const size_t length = strlen(row->prefix);
        if (row->names == layout->names && strncmp(name, row->prefix, length) == 0 && name + length > bare) {
            bare = name + length;
        }
    }
    return bare;
}

pld_status pld_conversion_add_original(pld_conversion *conversion, const pld_component *part,
                                       const pld_published *published, pld_error *error) {
    const char *name_of_part = part->row->name;
    const pld_published_part *row = pld_published_part_of(published, name_of_part);
    const pld_part_layout *layout =
        row && row->prefix ? pld_layout_with_prefix(part->class, name_of_part, row->prefix) : NULL;
    pld_weight_files *view = NULL;
    const size_t first = conversion->count;
    if (!layout) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: single files of %s have no place for its %s; expected a folder (a name "
                        "without .safetensors) as the output",
                        conversion->model->source.path, published->title, name_of_part);
    }
    PLD_TRY(open_view(conversion, part, &view, error));
    const int last = pld_layout_last_of_view(view, layout);
    for (size_t i = 0; i < pld_weight_files_count(view); i++) {
        const pld_weight weight = pld_weight_files_at(view, i);
        pld_renamed renamed;
        const char *bare = bare_name(part->class, layout, weight.tensor->name);
        if (!pld_names_to_original(layout->names, last, bare, has_name, view, &renamed)) {
            if (is_among(part->class->unused, weight.tensor->name)) {
                continue;
            }
            return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: tensor '%s' has no name in single files of %s",
                            conversion->model->source.path, weight.tensor->name, published->title);
        }
        char *name = pld_format("%s%s", layout->prefix, renamed.name);
        pld_converted *item = name ? find_item(conversion, first, name) : NULL;
        if (item) {
            pld_free(name);
        } else if (!(item = append(conversion, name))) {
            return pld_fail_memory(error, sizeof *item, "list of tensors");
        }
        PLD_TRY(place(conversion, weight, &renamed, item, error));
    }
    return row->unused_layers > 0 && layout->own_layers ? add_unused_layer(conversion, layout, first, error)
                                                        : PLD_OK;
}

pld_status pld_conversion_add_mark(pld_conversion *conversion, const char *name, pld_error *error) {
    pld_converted *item = append(conversion, pld_copy_string(name));
    if (!item) {
        return pld_fail_memory(error, sizeof *item, "list of tensors");
    }
    item->tensor = (pld_tensor){.dtype = PLD_DTYPE_F32, .rank = 1, .shape = {0}};
    return PLD_OK;
}

uint64_t pld_conversion_bytes(const pld_conversion *conversion) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < conversion->count; i++) {
        size_t elements = 0;
        const pld_tensor *tensor = &conversion->items[i].tensor;
        if (pld_shape_elements(tensor->shape, tensor->rank, pld_dtype_size(tensor->dtype), &elements)) {
            bytes += elements * pld_dtype_size(tensor->dtype);
        }
    }
    return bytes;
}

/** Numbers that were finite and are not in half precision. */
static size_t count_overflows(const float *values, size_t count) {
    const float largest = 65519.99F; /* what rounds to the largest half, 65504 */
    size_t overflows = 0;
    for (size_t i = 0; i < count; i++) {
        overflows += fabsf(values[i]) > largest && isfinite(values[i]);
    }
    return overflows;
}

/** Elements [first, first + count) of one weight in the type wanted. */
static pld_status convert_elements(pld_conversion *conversion, const pld_weight *weight, pld_dtype dtype,
                                   size_t first, size_t count, char *out, pld_error *error) {
    enum { BLOCK = 1 << 13 };
    const size_t size = pld_dtype_size(dtype);
    if (weight->tensor->dtype == dtype && weight->scale == 0) {
        return pld_weight_read(weight, first * size, count * size, out, error);
    }
    const pld_kernels *kernels = conversion->model->engine->kernels;
    float values[BLOCK];
    for (size_t done = 0; done < count;) {
        const size_t part = count - done < BLOCK ? count - done : BLOCK;
        PLD_TRY(pld_weight_values(&conversion->model->engine->device->weights, weight, first + done, part,
                                  values, error));
        if (!pld_convert_from_f32(kernels, dtype, values, part, out + done * size)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "tensor '%s': cannot be written as %s",
                            weight->tensor->name, pld_dtype_name(dtype));
        }
        conversion->overflows += dtype == PLD_DTYPE_F16 ? count_overflows(values, part) : 0;
        done += part;
    }
    return PLD_OK;
}

/** Elements [first, first + count) of the identity of so many columns. */
static pld_status fill_identity(const pld_conversion *conversion, const pld_tensor *tensor, size_t first,
                                size_t count, char *out, pld_error *error) {
    const pld_kernels *kernels = conversion->model->engine->kernels;
    const size_t size = pld_dtype_size(tensor->dtype), step = (size_t)tensor->shape[1] + 1;
    const float one = 1;
    memset(out, 0, count * size);
    for (size_t at = (first + step - 1) / step * step; at < first + count; at += step) {
        if (!pld_convert_from_f32(kernels, tensor->dtype, &one, 1, out + (at - first) * size)) {
            return pld_fail(error, PLD_ERROR_ARGUMENT, "the identity cannot be written as %s",
                            pld_dtype_name(tensor->dtype));
        }
    }
    return PLD_OK;
}

/** A pld_tensor_supplier. */
static pld_status supply(void *user, size_t index, size_t first_byte, size_t bytes, void *buffer,
                         pld_error *error) {
    pld_conversion *conversion = user;
    const pld_converted *item = &conversion->items[index];
    const size_t size = pld_dtype_size(item->tensor.dtype);
    if (pld_cancel_requested(conversion->options->cancel)) {
        return pld_fail(error, PLD_ERROR_CANCELLED, "cancelled; nothing was written");
    }
    size_t first = first_byte / size;
    size_t left = bytes / size;
    char *out = buffer;
    if (item->identity) {
        PLD_TRY(fill_identity(conversion, &item->tensor, first, left, out, error));
    } else if (!item->source_count) {
        memset(out, 0, bytes);
    }
    for (int i = 0; i < item->source_count && left > 0; i++) {
        const pld_stored_tensor *stored = item->sources[i].tensor;
        const size_t elements = pld_dtype_elements(stored->dtype, stored->bytes);
        if (first >= elements) {
            first -= elements;
            continue;
        }
        const size_t part = elements - first < left ? elements - first : left;
        PLD_TRY(convert_elements(conversion, &item->sources[i], item->tensor.dtype, first, part, out, error));
        out += part * size;
        left -= part;
        first = 0;
    }
    *conversion->done += bytes;
    if (conversion->options->progress) {
        conversion->options->progress(conversion->options->progress_user, *conversion->done, conversion->all);
    }
    return PLD_OK;
}

/** A fused tensor needs all its parts. */
static pld_status check_fused(const pld_conversion *conversion, pld_error *error) {
    for (size_t i = 0; i < conversion->count; i++) {
        const pld_converted *item = &conversion->items[i];
        bool whole = item->placed == item->parts;
        for (int j = 0; item->parts > 0 && j < item->source_count; j++) {
            whole = whole && item->sources[j].tensor->dtype == item->sources[0].tensor->dtype;
        }
        if (!whole) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "tensor '%s' is made of several tensors, which are not all there in one type",
                            item->name);
        }
    }
    return PLD_OK;
}

pld_status pld_conversion_write(pld_conversion *conversion, const char *path, const char *const *metadata,
                                pld_error *error) {
    PLD_TRY(check_fused(conversion, error));
    pld_tensor_entry *entries = pld_allocate(conversion->count, sizeof *entries);
    if (!entries) {
        return pld_fail_memory(error, conversion->count * sizeof *entries, "list of tensors");
    }
    for (size_t i = 0; i < conversion->count; i++) {
        entries[i] = (pld_tensor_entry){conversion->items[i].name, conversion->items[i].tensor};
    }
    pld_status status = pld_safetensors_write_supplied(path, entries, conversion->count, metadata, supply,
                                                       conversion, NULL, error);
    pld_free(entries);
    return status;
}

void pld_conversion_clear(pld_conversion *conversion) {
    for (size_t i = 0; i < conversion->count; i++) {
        pld_free(conversion->items[i].name);
        pld_free(conversion->items[i].own);
    }
    for (int i = 0; i < conversion->view_count; i++) {
        pld_weight_files_close(&conversion->views[i]);
    }
    pld_free(conversion->items);
    conversion->items = NULL;
    conversion->count = conversion->capacity = 0;
    conversion->view_count = 0;
}

pld_status pld_conversion_published(const pld_model *model, const pld_published **published,
                                    pld_error *error) {
    const pld_component *part = pld_denoiser_of(model);
    const pld_family *family = NULL;
    pld_weight_files *weights = NULL;
    const char *name = NULL;
    if (!model->family->published[0]) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: models of the family '%s' have no layout of one file; expected a folder (a name without "
            ".safetensors) as the output",
            model->source.path, model->family->name);
    }
    PLD_TRY(pld_model_source_weights(&model->source, part->row, part->class, part->config, NULL, &weights,
                                     error));
    pld_status status = part->class->denoiser->recognise(weights, &name, error);
    *published = status == PLD_OK ? pld_published_find(name, &family) : NULL;
    pld_weight_files_close(&weights);
    return status;
}
