/* SPDX-License-Identifier: Apache-2.0 */
#include "io/lora_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "io/lora_metadata.h"

struct pld_lora_file {
    pld_safetensors *tensors;
    pld_lora_module *modules; /* [count] */
    size_t count, capacity;
    const char **unknown; /* [unknown_count] */
    size_t unknown_count;
    const char *style;
};

#define BIT(factor) (1U << PLD_##factor)

/** The sets of factors that are complete; alpha, magnitude and a bias go with any of them. */
static const struct {
    pld_lora_kind kind;
    unsigned factors;
    pld_lora_factor of_rank; /* its first dimension is the rank; COUNT: it has none */
} complete[] = {
    {PLD_KIND_LORA, BIT(LORA_DOWN) | BIT(LORA_UP), PLD_LORA_DOWN},
    {PLD_KIND_LORA, BIT(LORA_DOWN) | BIT(LORA_UP) | BIT(LORA_MIDDLE), PLD_LORA_DOWN},
    {PLD_KIND_LOHA, BIT(LOHA_W1_A) | BIT(LOHA_W1_B) | BIT(LOHA_W2_A) | BIT(LOHA_W2_B), PLD_LOHA_W1_B},
    {PLD_KIND_LOHA,
     BIT(LOHA_W1_A) | BIT(LOHA_W1_B) | BIT(LOHA_W2_A) | BIT(LOHA_W2_B) | BIT(LOHA_T1) | BIT(LOHA_T2),
     PLD_LOHA_W1_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2), PLD_LORA_FACTOR_COUNT},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B) | BIT(LOKR_T2), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2), PLD_LOKR_W1_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B) | BIT(LOKR_T2),
     PLD_LOKR_W2_B},
    {PLD_KIND_DIFFERENCE, BIT(LORA_DIFFERENCE), PLD_LORA_FACTOR_COUNT},
    {PLD_KIND_DIFFERENCE, 0, PLD_LORA_FACTOR_COUNT}, /* a bias alone */
};
static const unsigned with_any = BIT(LORA_ALPHA) | BIT(LORA_MAGNITUDE) | BIT(LORA_BIAS_DIFFERENCE);

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

static pld_status check_tensor(const pld_lora_file *file, const entry *e, pld_error *error) {
    const char *path = pld_safetensors_path(file->tensors);
    const pld_stored_tensor *tensor = e->tensor;
    if (e->name.refused) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s' belongs to %s, which cannot be applied; LoRA, LoHa, LoKr and "
                        "DoRA can",
                        path, tensor->name, e->name.refused);
    }
    bool whole_number = e->name.factor == PLD_LORA_ALPHA &&
                        (tensor->dtype == PLD_DTYPE_I64 || tensor->dtype == PLD_DTYPE_I32);
    if (tensor->dtype > PLD_DTYPE_F8_E5M2 && !whole_number) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected a floating-point type, found %s",
                        path, tensor->name, pld_dtype_name(tensor->dtype));
    }
    bool number = e->name.factor == PLD_LORA_ALPHA;
    if (tensor->bytes == 0 || (number && tensor->bytes != pld_dtype_size(tensor->dtype))) {
        char found[96];
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected %s, found the shape %s", path,
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
                                    .path = pld_copy_string(e->name.path),
                                    .part = e->name.part,
                                    .scale = 1};
        if (!module->path) {
            return pld_fail_memory(error, PLD_LORA_PATH, "LoRA modules");
        }
        file->count++;
    }
    if (module->factors[e->name.factor]) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensors '%s' and '%s' both say the same of one module; the file is a mixture",
                        pld_safetensors_path(file->tensors), module->factors[e->name.factor]->name,
                        e->tensor->name);
    }
    module->factors[e->name.factor] = e->tensor;
    return PLD_OK;
}

static pld_status check_complete(const pld_lora_file *file, pld_lora_module *module, pld_lora_factor *of_rank,
                                 pld_error *error) {
    unsigned found = 0;
    for (unsigned i = 0; i < PLD_LORA_FACTOR_COUNT; i++) {
        found |= module->factors[i] ? 1U << i : 0;
    }
    bool nothing = !(found & ~(BIT(LORA_ALPHA) | BIT(LORA_MAGNITUDE)));
    unsigned missing = nothing ? BIT(LORA_DOWN) | BIT(LORA_UP) : 0;
    unsigned fewest = 32;
    for (size_t i = 0; i < sizeof complete / sizeof complete[0]; i++) {
        if (!nothing && complete[i].factors == (found & ~with_any)) {
            module->kind = complete[i].kind;
            *of_rank = complete[i].of_rank;
            return PLD_OK;
        }
        unsigned lacking = complete[i].factors & ~found;
        unsigned lacking_count = (unsigned)__builtin_popcount(lacking);
        bool subset = !(found & ~with_any & ~complete[i].factors);
        if (subset && complete[i].factors & found && lacking && lacking_count < fewest) {
            missing = lacking;
            fewest = lacking_count;
        }
    }
    for (unsigned i = 0; i < PLD_LORA_FACTOR_COUNT; i++) {
        if (missing & 1U << i & ~found) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: module '%.*s' has no %s; the other half is there, so the file is damaged: "
                            "fetch it again",
                            pld_safetensors_path(file->tensors), module->name_length, module->name,
                            pld_lora_factor_name((pld_lora_factor)i));
        }
    }
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: module '%.*s' mixes factors of several kinds of change; expected LoRA, LoHa or LoKr",
                    pld_safetensors_path(file->tensors), module->name_length, module->name);
}

/** The single number of an alpha tensor. */
static pld_status read_alpha(const pld_lora_file *file, const pld_stored_tensor *tensor, double *alpha,
                             pld_error *error) {
    union {
        unsigned char bytes[8];
        float f32;
        double f64;
        int64_t i64;
        int32_t i32;
        uint16_t half;
    } value = {{0}};
    PLD_TRY(pld_safetensors_read(file->tensors, tensor, 0, tensor->bytes, value.bytes, error));
    float wide = 0;
    uint32_t bits = (uint32_t)value.half << 16;
    switch (tensor->dtype) {
    case PLD_DTYPE_F32:
        *alpha = value.f32;
        return PLD_OK;
    case PLD_DTYPE_F64:
        *alpha = value.f64;
        return PLD_OK;
    case PLD_DTYPE_I64:
        *alpha = (double)value.i64;
        return PLD_OK;
    case PLD_DTYPE_I32:
        *alpha = value.i32;
        return PLD_OK;
    case PLD_DTYPE_BF16:
        memcpy(&wide, &bits, sizeof wide);
        *alpha = wide;
        return PLD_OK;
    case PLD_DTYPE_F16: {
        int exponent = value.half >> 10 & 31;
        int fraction = value.half & 1023;
        double magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
                           : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                          : ldexp(fraction, -24);
        *alpha = value.half & 0x8000 ? -magnitude : magnitude;
        return PLD_OK;
    }
    default:
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: tensor '%s': an alpha of type %s is not supported",
                        pld_safetensors_path(file->tensors), tensor->name, pld_dtype_name(tensor->dtype));
    }
}

/** module->scale from alpha, of the file or its metadata, and the rank. */
static pld_status settle_scale(const pld_lora_file *file, pld_lora_module *module,
                               const pld_lora_metadata *metadata, pld_error *error) {
    double alpha = NAN;
    bool root = false;
    const pld_stored_tensor *tensor = module->factors[PLD_LORA_ALPHA];
    if (tensor) {
        PLD_TRY(read_alpha(file, tensor, &alpha, error));
    } else {
        PLD_TRY(pld_lora_metadata_alpha(metadata, module, &alpha, &root, error));
        if (isnan(alpha)) {
            return PLD_OK;
        }
    }
    if (!isfinite(alpha) || alpha == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: module '%.*s': alpha is %g; expected a number other than zero (the change is "
                        "scaled by alpha / rank)",
                        pld_safetensors_path(file->tensors), module->name_length, module->name, alpha);
    }
    if (module->rank > 0) {
        module->scale = alpha / (root ? sqrt((double)module->rank) : (double)module->rank);
    }
    return PLD_OK;
}

static pld_status settle_module(const pld_lora_file *file, pld_lora_module *module,
                                const pld_lora_metadata *metadata, pld_error *error) {
    pld_lora_factor of_rank = PLD_LORA_FACTOR_COUNT;
    PLD_TRY(check_complete(file, module, &of_rank, error));
    if (of_rank != PLD_LORA_FACTOR_COUNT) {
        const pld_stored_tensor *tensor = module->factors[of_rank];
        if (tensor->rank < 2) {
            char found[96];
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: tensor '%s': expected a matrix [rank, …], found the shape %s",
                            pld_safetensors_path(file->tensors), tensor->name,
                            pld_shape_text(tensor->shape, tensor->rank, found, sizeof found));
        }
        module->rank = tensor->shape[0];
    }
    return settle_scale(file, module, metadata, error);
}

/** Take all names apart, and group the tensors into modules. */
static pld_status group(pld_lora_file *file, entry *entries, pld_error *error) {
    size_t known = 0;
    for (size_t i = 0; i < pld_safetensors_count(file->tensors); i++) {
        const pld_stored_tensor *tensor = pld_safetensors_at(file->tensors, i);
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

static pld_status read_modules(pld_lora_file *file, pld_error *error) {
    const size_t tensors = pld_safetensors_count(file->tensors);
    entry *entries = pld_allocate(tensors, sizeof *entries);
    file->unknown = pld_allocate(tensors, sizeof *file->unknown);
    pld_status status = entries && file->unknown ? group(file, entries, error)
                                                 : pld_fail_memory(error, tensors * sizeof *entries, "LoRA");
    pld_free(entries);
    PLD_TRY(status);
    if (file->count == 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: found no LoRA in it, %zu tensors of other names (first '%.80s'); expected names "
                        "such as 'lora_unet_….lora_up.weight' or 'unet.….lora_A.weight'",
                        pld_safetensors_path(file->tensors), file->unknown_count,
                        file->unknown_count ? file->unknown[0] : "");
    }
    pld_lora_metadata metadata = {0};
    status = pld_lora_metadata_read(file->tensors, &metadata, error);
    for (size_t i = 0; status == PLD_OK && i < file->count; i++) {
        status = settle_module(file, &file->modules[i], &metadata, error);
    }
    pld_lora_metadata_clear(&metadata);
    return status;
}

pld_status pld_lora_file_open(const char *path, pld_lora_file **file, pld_error *error) {
    *file = NULL;
    pld_lora_file *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    pld_status status = pld_safetensors_open(path, &opened->tensors, error);
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
        pld_safetensors_close(&closed->tensors);
        pld_free(closed);
    }
}

const pld_safetensors *pld_lora_file_tensors(const pld_lora_file *file) {
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

const char *pld_lora_file_kind(const pld_lora_file *file) {
    static const char *const names[PLD_KIND_COUNT] = {"LoRA", "LoHa", "LoKr", "difference"};
    size_t counts[PLD_KIND_COUNT] = {0};
    size_t most = 0;
    for (size_t i = 0; i < file->count; i++) {
        pld_lora_kind kind = file->modules[i].kind;
        most = ++counts[kind] > counts[most] ? kind : most;
    }
    return names[most];
}
