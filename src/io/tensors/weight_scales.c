/* SPDX-License-Identifier: Apache-2.0 */
/* Scaled 8-bit floats: a matrix X.weight of fp8 with one number beside it by which its values are multiplied. Three spellings
 * are about, all of which ComfyUI reads: X.scale_weight and a mark "scaled_fp8"; X.weight_scale and a description
 * X.comfy_quant; X.weight_scale and one description in the metadata. The scales of activations beside them are for products
 * in 8 bits, which are not computed here. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "io/json/read.h"
#include "io/tensors/weight_files_internal.h"

static const char weight_end[] = ".weight";
static const char *const scale_ends[] = {".weight_scale", ".scale_weight"};
static const char *const unused_ends[] = {".input_scale", ".scale_input"};
static const char description_end[] = ".comfy_quant";
static const char mark[] = "scaled_fp8";

/** Whether `name` ends so; its length without the end. */
static bool ends_with(const char *name, const char *end, size_t *base) {
    const size_t length = strlen(name), tail = strlen(end);
    *base = length - (length >= tail ? tail : length);
    return length >= tail && strcmp(name + *base, end) == 0;
}

/** The tensor whose name is the first `base` characters of `name`, then `end`. */
static bool find_beside(const pld_weight_files *files, const char *name, size_t base, const char *end,
                        pld_weight *found) {
    char beside[1024];
    const size_t tail = strlen(end) + 1;
    if (base + tail > sizeof beside) {
        return false;
    }
    memcpy(beside, name, base);
    memcpy(beside + base, end, tail);
    return pld_weight_files_find(files, beside, found);
}

/** The one number of a tensor. */
static pld_status read_scale(const pld_weight *from, float *scale, pld_error *error) {
    const pld_stored_tensor *tensor = from->tensor;
    unsigned char bytes[8] = {0};
    char shape[96];
    const bool one = pld_dtype_is_float(tensor->dtype) && pld_dtype_block(tensor->dtype) == 1 &&
                     tensor->bytes == pld_dtype_size(tensor->dtype);
    if (!one) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s': expected one number that scales a matrix, found %s of shape %s",
                        pld_tensor_file_path(from->file), tensor->name, pld_dtype_name(tensor->dtype),
                        pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape));
    }
    PLD_TRY(pld_tensor_file_read(from->file, tensor, 0, tensor->bytes, bytes, error));
    *scale = (float)pld_dtype_value(tensor->dtype, bytes);
    return isfinite(*scale) && *scale > 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected a number above 0, found %g",
                          pld_tensor_file_path(from->file), tensor->name, (double)*scale);
}

/** A description must be of the type that the matrix has. */
static pld_status check_description(const pld_weight *weight, const pld_weight *description,
                                    pld_error *error) {
    enum { MOST = 4096 };
    const pld_stored_tensor *tensor = description->tensor;
    const char *path = pld_tensor_file_path(description->file);
    const char *wanted = weight->tensor->dtype == PLD_DTYPE_F8_E4M3 ? "float8_e4m3fn" : "float8_e5m2";
    char text[MOST];
    json_t *document = NULL;
    if (tensor->dtype != PLD_DTYPE_U8 || tensor->bytes > MOST) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected up to %d bytes of JSON", path,
                        tensor->name, (int)MOST);
    }
    PLD_TRY(pld_tensor_file_read(description->file, tensor, 0, tensor->bytes, text, error));
    PLD_TRY(pld_json_parse(text, tensor->bytes, tensor->name, &document, error));
    const char *format = json_string_value(json_object_get(document, "format"));
    const pld_status status =
        format && strcmp(format, wanted) == 0
            ? PLD_OK
            : pld_fail(
                  error, PLD_ERROR_UNSUPPORTED,
                  "%s: tensor '%s': expected the format \"%s\", as the matrix is stored, found \"%.40s\"",
                  path, tensor->name, wanted, format ? format : "");
    json_decref(document);
    return status;
}

/** Note that a tensor is not one of the network's. */
static void take(bool *taken, const pld_weight *weight, bool found) {
    if (found) {
        taken[weight->index] = true;
    }
}

/** Look for a scale of weight `index`, and take what stands beside it. */
static pld_status scale_one(pld_weight_files *files, size_t index, bool *taken, pld_error *error) {
    pld_weight *weight = &files->weights[index];
    const char *name = weight->tensor->name;
    pld_weight beside;
    size_t base = 0;
    if (!pld_dtype_is_f8(weight->tensor->dtype) || !ends_with(name, weight_end, &base)) {
        return PLD_OK;
    }
    for (size_t i = 0; i < sizeof scale_ends / sizeof *scale_ends; i++) {
        if (find_beside(files, name, base, scale_ends[i], &beside)) {
            PLD_TRY(read_scale(&beside, &weight->scale, error));
            take(taken, &beside, true);
        }
    }
    for (size_t i = 0; i < sizeof unused_ends / sizeof *unused_ends; i++) {
        take(taken, &beside, find_beside(files, name, base, unused_ends[i], &beside));
    }
    if (find_beside(files, name, base, description_end, &beside)) {
        PLD_TRY(check_description(weight, &beside, error));
        take(taken, &beside, true);
    }
    return PLD_OK;
}

static void drop_taken(pld_weight_files *files, const bool *taken) {
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (!taken[i]) {
            files->weights[kept] = files->weights[i];
            files->weights[kept].index = kept;
            kept++;
        }
    }
    files->count = kept;
}

pld_status pld_weight_files_take_scales(pld_weight_files *files, pld_error *error) {
    bool *taken = pld_allocate(files->count, sizeof *taken), any = false;
    pld_status status = taken ? PLD_OK : pld_fail_memory(error, files->count, "list of weights");
    for (size_t i = 0; status == PLD_OK && i < files->count; i++) {
        status = scale_one(files, i, taken, error);
        any = any || files->weights[i].scale != 0;
    }
    for (size_t i = 0; status == PLD_OK && any && i < files->count; i++) {
        size_t base = 0;
        taken[i] = taken[i] || ends_with(files->weights[i].tensor->name, mark, &base);
    }
    if (status == PLD_OK && any) {
        drop_taken(files, taken);
        pld_weight_files_sort(files);
    }
    pld_free(taken);
    return status;
}
