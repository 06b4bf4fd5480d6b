/* SPDX-License-Identifier: Apache-2.0 */
/* Which type each tensor is written in. Matrices of linear layers take types of 8 bits or fewer, but for those that their class
 * keeps (pld_part_class.unquantised). What stays, convolutions among it, is bfloat16 where it was, else float16; what has one
 * axis or few numbers is float32 in GGUF files, as in other programs' ones. Rows that are no whole blocks of 256 take Q8_0,
 * whose blocks are 32, so that each row begins with a block: such rows can be kept in memory as they are stored. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "io/tensors/gguf_write.h"
#include "io/tensors/safetensors_write.h"
#include "pipeline/files/convert.h"

static const pld_written_type types[] = {
    {"f32", PLD_DTYPE_F32, false, true, true, 0},    {"f16", PLD_DTYPE_F16, false, true, true, 1},
    {"bf16", PLD_DTYPE_BF16, false, true, true, 32}, {"q8_0", PLD_DTYPE_Q8_0, true, true, false, 7},
    {"q6_k", PLD_DTYPE_Q6_K, true, true, false, 18}, {"q5_k", PLD_DTYPE_Q5_K, true, true, false, 16},
    {"q4_k", PLD_DTYPE_Q4_K, true, true, false, 14}, {"q4_0", PLD_DTYPE_Q4_0, true, true, false, 2},
    {"int8", PLD_DTYPE_I8, true, false, true, -1},
};

enum { FEW_NUMBERS = 1024 };

pld_status pld_written_type_find(const char *name, const pld_written_type **type, pld_error *error) {
    char names[128] = "";
    size_t used = 0;
    *type = NULL;
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i].name) == 0) {
            *type = &types[i];
            return PLD_OK;
        }
        used += (size_t)pld_print_text(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                       types[i].name);
    }
    return name ? pld_fail(error, PLD_ERROR_ARGUMENT, "type: expected one of %s, found '%.40s'", names, name)
                : PLD_OK;
}

/** Whether a tensor's rows can be of the type. */
static bool fits(const pld_tensor *tensor, pld_dtype dtype) {
    const int64_t row = tensor->rank > 0 ? tensor->shape[tensor->rank - 1] : 1;
    return row % (int64_t)pld_dtype_block(dtype) == 0;
}

static size_t elements_of(const pld_tensor *tensor) {
    size_t elements = 0;
    return pld_shape_elements(tensor->shape, tensor->rank, 1, &elements) ? elements : 0;
}

/** The type of a tensor that keeps its own, of 16 bits where the file cannot hold that, or where its numbers have scales beside
 * them. */
static pld_dtype own_type(const pld_conversion *conversion, const pld_converted *item) {
    const pld_dtype stored = item->tensor.dtype;
    bool scaled = item->source_count > 0 && pld_weight_is_scaled(&item->sources[0]);
    for (int i = 0; i < item->source_count; i++) { /* blocks are of a row, which is none in the other order */
        scaled = scaled || (item->sources[i].transposed && pld_dtype_is_quantised(stored));
    }
    const bool held = conversion->gguf ? pld_gguf_has_type(stored) && fits(&item->tensor, stored)
                                       : !pld_dtype_is_quantised(stored);
    return held && !scaled ? stored : PLD_DTYPE_F16;
}

static pld_dtype wide_type(const pld_conversion *conversion, const pld_converted *item) {
    const pld_dtype stored = item->tensor.dtype;
    const bool small = item->tensor.rank <= 1 || elements_of(&item->tensor) <= FEW_NUMBERS;
    return small                      ? (conversion->gguf ? PLD_DTYPE_F32 : own_type(conversion, item))
           : stored == PLD_DTYPE_BF16 ? stored
                                      : PLD_DTYPE_F16;
}

static pld_dtype written_type(const pld_conversion *conversion, const pld_converted *item) {
    const pld_written_type *type = conversion->type;
    const pld_tensor *tensor = &item->tensor;
    const bool number = item->source_count == 0 || pld_weight_is_number(&item->sources[0]);
    if (!type || !number) {
        return own_type(conversion, item);
    }
    if (!type->matrices) {
        const bool small = conversion->gguf && (tensor->rank <= 1 || elements_of(tensor) <= FEW_NUMBERS);
        return small ? PLD_DTYPE_F32 : type->dtype;
    }
    const bool matrix = item->quantisable && tensor->rank == 2 && tensor->shape[0] > 1 &&
                        item->source_count > 0 && elements_of(tensor) > FEW_NUMBERS;
    return matrix && fits(tensor, type->dtype)                          ? type->dtype
           : matrix && conversion->gguf && fits(tensor, PLD_DTYPE_Q8_0) ? PLD_DTYPE_Q8_0
                                                                        : wide_type(conversion, item);
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

/** What stands beside an int8 matrix X.weight [N, C], in ComfyUI's spelling: X.weight_scale [N, 1], by which the rows are
 * multiplied, and the description X.comfy_quant. */
static pld_status add_beside(pld_conversion *conversion, size_t matrix, pld_error *error) {
    static const char description[] = "{\"format\": \"int8_tensorwise\", \"per_row\": true}";
    const char *name = conversion->items[matrix].name;
    const int base = (int)(strlen(name) - strlen(".weight"));
    const int64_t rows = conversion->items[matrix].tensor.shape[0];
    pld_converted *item = pld_conversion_append(conversion, pld_format("%.*s.weight_scale", base, name));
    if (item) {
        item->tensor = (pld_tensor){.dtype = PLD_DTYPE_F32, .rank = 2, .shape = {rows, 1}};
        item->scales = true;
        item->matrix = matrix;
        item = pld_conversion_append(conversion,
                                     pld_format("%.*s.comfy_quant", base, conversion->items[matrix].name));
    }
    if (!item) {
        return pld_fail_memory(error, sizeof *item, "list of tensors");
    }
    item->tensor = (pld_tensor){.dtype = PLD_DTYPE_U8, .rank = 1, .shape = {sizeof description - 1}};
    item->text = description;
    return PLD_OK;
}

pld_status pld_conversion_settle(pld_conversion *conversion, pld_error *error) {
    const size_t count = conversion->count;
    PLD_TRY(check_fused(conversion, error));
    for (size_t i = 0; i < count; i++) {
        conversion->items[i].tensor.dtype = written_type(conversion, &conversion->items[i]);
        if (conversion->items[i].tensor.dtype == PLD_DTYPE_I8 && conversion->items[i].quantisable) {
            PLD_TRY(add_beside(conversion, i, error));
        }
    }
    return PLD_OK;
}

uint64_t pld_conversion_bytes(const pld_conversion *conversion) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < conversion->count; i++) {
        const pld_tensor *tensor = &conversion->items[i].tensor;
        size_t own = 0;
        bytes += pld_dtype_bytes(tensor->dtype, elements_of(tensor), &own) ? own : 0;
    }
    return bytes;
}

uint64_t pld_conversion_expected_bytes(const pld_conversion *conversion, const pld_model_part *part,
                                       const pld_part_class *class) {
    const pld_written_type *type = conversion->type;
    const bool whole = type && (!type->matrices || class->unquantised);
    return !type ? part->bytes : part->parameters * (whole ? pld_dtype_size(type->dtype) : 2);
}

pld_status pld_conversion_write(pld_conversion *conversion, const char *path, const char *const *metadata,
                                pld_error *error) {
    const size_t count = conversion->count;
    pld_tensor_entry *entries = pld_allocate(count, sizeof *entries);
    if (!entries) {
        return pld_fail_memory(error, count * sizeof *entries, "list of tensors");
    }
    for (size_t i = 0; i < count; i++) {
        entries[i] = (pld_tensor_entry){conversion->items[i].name, conversion->items[i].tensor};
    }
    const pld_gguf_facts facts = {conversion->model->family->architecture,
                                  conversion->type ? conversion->type->file_type : -1, metadata};
    const pld_status status =
        conversion->gguf ? pld_gguf_write_supplied(path, &facts, entries, count, pld_conversion_supply,
                                                   conversion, NULL, error)
                         : pld_safetensors_write_supplied(path, entries, count, metadata,
                                                          pld_conversion_supply, conversion, NULL, error);
    pld_free(entries);
    return status;
}
