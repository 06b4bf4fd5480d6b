/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/file.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "loras/adapter.h"
#include "loras/folder.h"

struct pld_lora_file {
    pld_tensor_file *tensors;
    pld_lora_module *modules; /* [count] */
    size_t count, capacity;
    const char **unknown; /* [unknown_count] */
    size_t unknown_count;
    const char *style;
};

/** One tensor on its way into a module. */
typedef struct entry {
    pld_lora_name name;
    const pld_stored_tensor *tensor;
} entry;

static int compare_entries(const void *a, const void *b) {
    const entry *first = a;
    const entry *second = b;
    if (first->name.part != second->name.part) {
        return first->name.part < second->name.part ? -1 : 1;
    }
    return strcmp(first->name.path, second->name.path);
}

static int compare_modules(const void *a, const void *b) {
    const pld_lora_module *first = a;
    const pld_lora_module *second = b;
    if (first->part != second->part) {
        return first->part < second->part ? -1 : 1;
    }
    return strcmp(first->path, second->path);
}

static pld_status check_tensor(const pld_lora_file *file, const entry *e, pld_error *error) {
    const char *path = pld_tensor_file_path(file->tensors);
    const pld_stored_tensor *tensor = e->tensor;
    if (e->name.refused) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: tensor '%s' belongs to %s, which cannot be applied; only LoRA, LoHa, LoKr and DoRA can",
            path, tensor->name, e->name.refused);
    }
    bool whole_number =
        e->name.factor == PLD_LORA_ALPHA && tensor->dtype >= PLD_DTYPE_I64 && tensor->dtype <= PLD_DTYPE_U8;
    if ((!pld_dtype_is_float(tensor->dtype) || pld_dtype_is_quantised(tensor->dtype)) && !whole_number) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected a floating-point type, found %s",
                        path, tensor->name, pld_dtype_name(tensor->dtype));
    }
    bool number = e->name.factor == PLD_LORA_ALPHA;
    if (tensor->bytes == 0 || (number && tensor->bytes != pld_dtype_size(tensor->dtype))) {
        char found[96];
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected %s, found shape %s", path,
                        tensor->name, number ? "a single number" : "at least one element",
                        pld_shape_text(tensor->shape, tensor->rank, found, sizeof found));
    }
    return PLD_OK;
}

/** Give the tensor to its module, which is the last one or a new one. */
static pld_status add_entry(pld_lora_file *file, const entry *e, pld_error *error) {
    pld_lora_module *module = file->count ? &file->modules[file->count - 1] : NULL;
    if (!module || module->part != e->name.part || strcmp(module->path, e->name.path) != 0) {
        if (!pld_grow((void **)&file->modules, &file->capacity, file->count + 1, sizeof *module)) {
            return pld_fail_memory(error, sizeof *module, "LoRA modules");
        }
        module = &file->modules[file->count];
        *module = (pld_lora_module){.name = e->tensor->name,
                                    .name_length = (int)e->name.module_length,
                                    .dotted = e->name.flattened ? NULL : e->tensor->name + e->name.path_start,
                                    .path = pld_copy_string(e->name.path),
                                    .part = e->name.part,
                                    .scale = 1};
        if (!module->path) {
            return pld_fail_memory(error, PLD_LORA_PATH, "LoRA modules");
        }
        file->count++;
    }
    if (module->factors[e->name.factor]) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: tensors '%s' and '%s' are both the same factor of one module; the file is a mixture of two",
            pld_tensor_file_path(file->tensors), module->factors[e->name.factor]->name, e->tensor->name);
    }
    module->factors[e->name.factor] = e->tensor;
    return PLD_OK;
}

/** Take all names apart, and group the tensors into modules. */
static pld_status group(pld_lora_file *file, entry *entries, pld_error *error) {
    size_t known = 0;
    for (size_t i = 0; i < pld_tensor_file_count(file->tensors); i++) {
        const pld_stored_tensor *tensor = pld_tensor_file_at(file->tensors, i);
        if (pld_lora_name_parse(tensor->name, &entries[known].name)) {
            entries[known].tensor = tensor;
            PLD_TRY(check_tensor(file, &entries[known], error));
            if (!file->style || entries[known].name.factor != PLD_LORA_ALPHA) {
                file->style = entries[known].name.style;
            }
            known++;
        } else {
            file->unknown[file->unknown_count++] = tensor->name;
        }
    }
    qsort(entries, known, sizeof *entries, compare_entries);
    for (size_t i = 0; i < known; i++) {
        PLD_TRY(add_entry(file, &entries[i], error));
    }
    return PLD_OK;
}

/** The module whose name is the beginning of a tensor's, up to one of its dots; NULL: none. */
static const pld_lora_module *module_of(const pld_lora_file *file, const char *tensor) {
    for (const char *dot = strchr(tensor, '.'); dot; dot = strchr(dot + 1, '.')) {
        pld_lora_name name;
        if (!pld_lora_module_parse(tensor, (size_t)(dot - tensor), &name)) {
            continue;
        }
        const pld_lora_module wanted = {.part = name.part, .path = name.path};
        const pld_lora_module *found =
            bsearch(&wanted, file->modules, file->count, sizeof wanted, compare_modules);
        if (found) {
            return found;
        }
    }
    return NULL;
}

/** A tensor of a module that means nothing here may be half of the change: a scale, a magnitude, a bias. */
static pld_status check_unknown(const pld_lora_file *file, pld_error *error) {
    for (size_t i = 0; i < file->unknown_count; i++) {
        const pld_lora_module *module = module_of(file, file->unknown[i]);
        if (module) {
            return pld_fail(
                error, PLD_ERROR_UNSUPPORTED,
                "%s: tensor '%s' belongs to module '%.*s', but its meaning is not known; expected only the "
                "factors of a LoRA, LoHa, LoKr or DoRA, because a change is never applied in part",
                pld_tensor_file_path(file->tensors), file->unknown[i], module->name_length, module->name);
        }
    }
    return PLD_OK;
}

/** Find kind and scale of all modules. */
static pld_status settle(pld_lora_file *file, pld_error *error) {
    pld_lora_adapter adapter = {0};
    pld_status status = pld_lora_adapter_read(file->tensors, &adapter, error);
    for (size_t i = 0; status == PLD_OK && i < file->count; i++) {
        pld_lora_module *module = &file->modules[i];
        status = pld_lora_module_complete(file->tensors, module, error);
        if (status == PLD_OK) {
            status = pld_lora_module_settle_scale(file->tensors, &adapter, module, error);
        }
    }
    pld_lora_adapter_clear(&adapter);
    return status;
}

static pld_status read_modules(pld_lora_file *file, pld_error *error) {
    const size_t tensors = pld_tensor_file_count(file->tensors);
    entry *entries = pld_allocate(tensors, sizeof *entries);
    file->unknown = pld_allocate(tensors, sizeof *file->unknown);
    pld_status status = entries && file->unknown ? group(file, entries, error)
                                                 : pld_fail_memory(error, tensors * sizeof *entries, "LoRA");
    pld_free(entries);
    PLD_TRY(status);
    if (file->count == 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: found no LoRA, only %zu tensors with other names (first '%.80s'); expected "
                        "names such as 'lora_unet_….lora_up.weight' or 'unet.….lora_A.weight'",
                        pld_tensor_file_path(file->tensors), file->unknown_count,
                        file->unknown_count ? file->unknown[0] : "");
    }
    PLD_TRY(check_unknown(file, error));
    return settle(file, error);
}

pld_status pld_lora_file_open(const char *path, pld_lora_file **file, pld_error *error) {
    *file = NULL;
    pld_lora_file *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    char *found = NULL;
    pld_status status = pld_lora_folder_find(path, &found, error);
    if (status == PLD_OK) {
        status = pld_tensor_file_open(found, &opened->tensors, error);
    }
    pld_free(found);
    if (status == PLD_OK) {
        status = read_modules(opened, error);
    }
    if (status != PLD_OK) {
        pld_lora_file_close(&opened);
        return status;
    }
    *file = opened;
    return PLD_OK;
}

void pld_lora_file_close(pld_lora_file **file) {
    pld_lora_file *closed = *file;
    *file = NULL;
    if (closed) {
        for (size_t i = 0; i < closed->count; i++) {
            pld_free(closed->modules[i].path);
        }
        pld_free(closed->modules);
        pld_free(closed->unknown);
        pld_tensor_file_close(&closed->tensors);
        pld_free(closed);
    }
}

const pld_tensor_file *pld_lora_file_tensors(const pld_lora_file *file) {
    return file->tensors;
}

size_t pld_lora_file_count(const pld_lora_file *file) {
    return file->count;
}

const pld_lora_module *pld_lora_file_at(const pld_lora_file *file, size_t index) {
    return &file->modules[index];
}

size_t pld_lora_file_unknown_count(const pld_lora_file *file) {
    return file->unknown_count;
}

const char *pld_lora_file_unknown_at(const pld_lora_file *file, size_t index) {
    return file->unknown[index];
}

const char *pld_lora_file_style(const pld_lora_file *file) {
    return file->style;
}

size_t pld_lora_file_unscaled_count(const pld_lora_file *file) {
    size_t count = 0;
    for (size_t i = 0; i < file->count; i++) {
        count += file->modules[i].unscaled;
    }
    return count;
}

const char *pld_lora_file_kind(const pld_lora_file *file) {
    static const char *const names[PLD_KIND_COUNT][2] = {{"LoRA", "DoRA"},
                                                         {"LoHa", "LoHa with DoRA"},
                                                         {"LoKr", "LoKr with DoRA"},
                                                         {"difference", "difference"}};
    size_t counts[PLD_KIND_COUNT][2] = {{0}};
    size_t kind = 0;
    size_t dora = 0;
    for (size_t i = 0; i < file->count; i++) {
        const pld_lora_module *module = &file->modules[i];
        const size_t with = pld_lora_module_has_magnitude(module);
        if (++counts[module->kind][with] > counts[kind][dora]) {
            kind = module->kind;
            dora = with;
        }
    }
    return names[kind][dora];
}
