/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a file that is written: what each is called there, and where it comes from. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "pipeline/files/convert.h"

pld_converted *pld_conversion_append(pld_conversion *conversion, char *name) {
    if (!name || !pld_grow((void **)&conversion->items, &conversion->capacity, conversion->count + 1,
                           sizeof *conversion->items)) {
        pld_free(name);
        return NULL;
    }
    pld_converted *item = &conversion->items[conversion->count++];
    *item = (pld_converted){.name = name};
    return item;
}

/** The weight's own tensor, or its transpose. */
static void describe(const pld_stored_tensor *stored, pld_converted *item) {
    item->tensor.dtype = stored->dtype;
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

/** Whether the class has it written in 8 bits or fewer, by diffusers' name for it. */
static bool is_quantisable(const pld_part_class *class, const char *name) {
    static const char end[] = ".weight";
    const size_t length = strlen(name);
    bool stays =
        !class->unquantised || length < sizeof end || strcmp(name + length - (sizeof end - 1), end) != 0;
    for (const char *const *row = class->unquantised; !stays && *row; row++) {
        stays = (*row)[0] == '.' ? strstr(name, *row) != NULL : strncmp(name, *row, strlen(*row)) == 0;
    }
    return !stays;
}

static bool has_name(const void *user, const char *name) {
    pld_weight weight;
    return pld_weight_files_find(user, name, &weight);
}

/** The matrix that the files of a text encoder lack, and mean the identity by; of the type that its other tensors have. */
static pld_status add_identity(pld_conversion *conversion, const pld_component *part, pld_dtype dtype,
                               pld_error *error) {
    pld_converted *item = pld_conversion_append(conversion, pld_copy_string(part->class->identity));
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
        pld_converted *item = pld_conversion_append(conversion, pld_copy_string(weight.tensor->name));
        if (!item) {
            return pld_fail_memory(error, sizeof *item, "list of tensors");
        }
        describe(weight.tensor, item);
        item->quantisable = is_quantisable(part->class, weight.tensor->name);
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
static pld_status place_rows(pld_weight weight, pld_row_part rows, pld_converted *item, pld_error *error) {
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
    describe(weight.tensor, item);
    item->tensor.shape[0] += others;
    return PLD_OK;
}

/** Give a weight its place in an item, by how the original holds it. */
static pld_status place(pld_weight weight, const pld_renamed *original, pld_converted *item,
                        pld_error *error) {
    const pld_stored_tensor *stored = weight.tensor;
    const pld_name_form form = original->form;
    if (form == PLD_FORM_ROWS && original->rows.count < original->rows.of) {
        return place_rows(weight, original->rows, item, error);
    }
    if (form == PLD_FORM_ROWS) {
        describe(stored, item);
        return place_turned(weight, original->rows, item, error);
    }
    if (form == PLD_FORM_TRANSPOSED) {
        PLD_TRY(place_transpose(weight, item, error));
        describe(item->own, item);
        return PLD_OK;
    }
    describe(stored, item);
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
            pld_converted *item = pld_conversion_append(
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
                                       const pld_published *published, const char *prefix, pld_error *error) {
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
        const size_t cut = strncmp(layout->prefix, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        char *name = pld_format("%s%s", layout->prefix + cut, renamed.name);
        pld_converted *item = name ? find_item(conversion, first, name) : NULL;
        if (item) {
            pld_free(name);
        } else if (!(item = pld_conversion_append(conversion, name))) {
            return pld_fail_memory(error, sizeof *item, "list of tensors");
        }
        PLD_TRY(place(weight, &renamed, item, error));
        item->quantisable = is_quantisable(part->class, bare);
    }
    return row->unused_layers > 0 && layout->own_layers ? add_unused_layer(conversion, layout, first, error)
                                                        : PLD_OK;
}

pld_status pld_conversion_add_mark(pld_conversion *conversion, const char *name, pld_error *error) {
    pld_converted *item = pld_conversion_append(conversion, pld_copy_string(name));
    if (!item) {
        return pld_fail_memory(error, sizeof *item, "list of tensors");
    }
    item->tensor = (pld_tensor){.dtype = PLD_DTYPE_F32, .rank = 1, .shape = {conversion->gguf ? 1 : 0}};
    return PLD_OK;
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
