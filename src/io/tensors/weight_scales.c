/* SPDX-License-Identifier: Apache-2.0 */
/* Scaled numbers of 8 bits: a matrix X.weight of fp8 or int8 with a number beside it by which its values are multiplied, or, of
 * int8, a number for each row, [N, 1] or [N]. Three spellings are about, all of which ComfyUI reads: X.scale_weight and a mark
 * "scaled_fp8"; X.weight_scale and a description X.comfy_quant; X.weight_scale and one description in the metadata. The scales of
 * activations beside them are for products with numbers that were measured before, which are not computed here. int8 whose
 * columns were rotated first ("ConvRot") looks the same but for its description, and is refused. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
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

/** Whether it is the one number of a tensor. */
static bool is_one_number(const pld_stored_tensor *tensor) {
    return pld_dtype_is_float(tensor->dtype) && pld_dtype_block(tensor->dtype) == 1 &&
           tensor->bytes == pld_dtype_size(tensor->dtype);
}

/** The one number of a tensor. */
static pld_status read_scale(const pld_weight *from, float *scale, pld_error *error) {
    const pld_stored_tensor *tensor = from->tensor;
    unsigned char bytes[8] = {0};
    char shape[96];
    if (!is_one_number(tensor)) {
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

/** One number for each row of an int8 matrix, all of which are read once: a row without one would be lost. */
static pld_status take_row_scales(pld_weight *weight, const pld_weight *from, pld_error *error) {
    enum { ROWS = 256 };
    float scales[ROWS];
    char shape[96];
    const pld_stored_tensor *matrix = weight->tensor, *tensor = from->tensor;
    const bool number = pld_dtype_is_float(tensor->dtype) && pld_dtype_block(tensor->dtype) == 1;
    const bool column = tensor->rank == 1 || (tensor->rank == 2 && tensor->shape[1] == 1);
    if (matrix->rank != 2 || !number || !column || tensor->shape[0] != matrix->shape[0]) {
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: tensor '%s': expected one number that scales a matrix, or one for each of its %lld rows, "
            "found %s of shape %s",
            pld_tensor_file_path(from->file), tensor->name,
            (long long)(matrix->rank > 0 ? matrix->shape[0] : 0), pld_dtype_name(tensor->dtype),
            pld_shape_text(tensor->shape, tensor->rank, shape, sizeof shape));
    }
    weight->row_scales = tensor;
    weight->scales_file = from->file;
    const size_t rows = (size_t)matrix->shape[0];
    for (size_t row = 0; row < rows; row += ROWS) {
        const size_t part = rows - row < ROWS ? rows - row : ROWS;
        PLD_TRY(pld_weight_row_scales(weight, row, part, scales, error));
        for (size_t i = 0; i < part; i++) {
            if (!isfinite(scales[i]) || scales[i] < 0) {
                return pld_fail(error, PLD_ERROR_FORMAT,
                                "%s: tensor '%s': expected numbers from 0, found %g for row %zu",
                                pld_tensor_file_path(from->file), tensor->name, (double)scales[i], row + i);
            }
        }
    }
    return PLD_OK;
}

/** How each type is described. */
static const struct {
    pld_dtype dtype;
    const char *format;
} formats[] = {{PLD_DTYPE_F8_E4M3, "float8_e4m3fn"},
               {PLD_DTYPE_F8_E5M2, "float8_e5m2"},
               {PLD_DTYPE_I8, "int8_tensorwise"}};

static const char *format_of(pld_dtype dtype) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].dtype == dtype) {
            return formats[i].format;
        }
    }
    return NULL;
}

/** A description (an object, borrowed), which is called `where`, must be of the type that the matrix has, and of nothing more. */
static pld_status check_format(const pld_weight *weight, const char *path, const char *where,
                               const json_t *description, pld_error *error) {
    const char *wanted = format_of(weight->tensor->dtype);
    const char *format = json_string_value(json_object_get(description, "format"));
    if (!format || strcmp(format, wanted) != 0) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: %s: expected the format \"%s\", as the matrix is stored, found \"%.40s\"", path,
                        where, wanted, format ? format : "");
    }
    return !json_is_true(json_object_get(description, "convrot"))
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: %s: the columns of the matrix were rotated (int8 ConvRot), which is not "
                          "supported; use "
                          "a GGUF, fp8 or bf16 version of the model",
                          path, where);
}

/** A tensor that describes a matrix. */
static pld_status check_description(const pld_weight *weight, const pld_weight *description,
                                    pld_error *error) {
    enum { MOST = 4096 };
    const pld_stored_tensor *tensor = description->tensor;
    const char *path = pld_tensor_file_path(description->file);
    char text[MOST];
    json_t *document = NULL;
    if (tensor->dtype != PLD_DTYPE_U8 || tensor->bytes > MOST) {
        return pld_fail(error, PLD_ERROR_FORMAT, "%s: tensor '%s': expected up to %d bytes of JSON", path,
                        tensor->name, (int)MOST);
    }
    PLD_TRY(pld_tensor_file_read(description->file, tensor, 0, tensor->bytes, text, error));
    PLD_TRY(pld_json_parse(text, tensor->bytes, tensor->name, &document, error));
    char *where = pld_format("tensor '%s'", tensor->name);
    const pld_status status = where ? check_format(weight, path, where, document, error)
                                    : pld_fail_memory(error, strlen(tensor->name), tensor->name);
    pld_free(where);
    json_decref(document);
    return status;
}

/** The metadata of the file that was asked last: it is read once a file, not once a weight. */
typedef struct kept_metadata {
    const pld_tensor_file *file;
    json_t *document; /* NULL: it has none */
} kept_metadata;

static pld_status find_metadata(const pld_tensor_file *file, kept_metadata *kept, pld_error *error) {
    static const char key[] = "_quantization_metadata";
    const char *text = pld_tensor_file_metadata_find(file, key);
    if (kept->file == file) {
        return PLD_OK;
    }
    json_decref(kept->document);
    *kept = (kept_metadata){.file = file};
    return text ? pld_json_parse(text, strlen(text), key, &kept->document, error) : PLD_OK;
}

/** What the metadata of a file says of an int8 matrix, if it does: {"layers": {"X": {"format": …}}}. */
static pld_status check_metadata(const pld_weight *weight, size_t base, kept_metadata *kept,
                                 pld_error *error) {
    if (weight->tensor->dtype != PLD_DTYPE_I8) {
        return PLD_OK;
    }
    PLD_TRY(find_metadata(weight->file, kept, error));
    char *name = pld_copy_bytes(weight->tensor->name, base);
    if (!name) {
        return pld_fail_memory(error, base, weight->tensor->name);
    }
    const json_t *layer = json_object_get(json_object_get(kept->document, "layers"), name);
    pld_free(name);
    return layer ? check_format(weight, pld_tensor_file_path(weight->file), "_quantization_metadata", layer,
                                error)
                 : PLD_OK;
}

/** Note that a tensor is not one of the network's. */
static void take(bool *taken, const pld_weight *weight, bool found) {
    if (found) {
        taken[weight->index] = true;
    }
}

/** Look for a scale of weight `index`, and take what stands beside it. */
static pld_status scale_one(pld_weight_files *files, size_t index, bool *taken, kept_metadata *kept,
                            pld_error *error) {
    pld_weight *weight = &files->weights[index];
    const char *name = weight->tensor->name;
    pld_weight beside;
    size_t base = 0;
    const bool whole = weight->tensor->dtype == PLD_DTYPE_I8;
    if ((!whole && !pld_dtype_is_f8(weight->tensor->dtype)) || !ends_with(name, weight_end, &base)) {
        return PLD_OK;
    }
    for (size_t i = 0; i < sizeof scale_ends / sizeof *scale_ends; i++) {
        if (find_beside(files, name, base, scale_ends[i], &beside)) {
            PLD_TRY(whole && !is_one_number(beside.tensor) ? take_row_scales(weight, &beside, error)
                                                           : read_scale(&beside, &weight->scale, error));
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
    return check_metadata(weight, base, kept, error);
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
    kept_metadata kept = {0};
    bool *taken = pld_allocate(files->count, sizeof *taken), any = false;
    pld_status status = taken ? PLD_OK : pld_fail_memory(error, files->count, "list of weights");
    for (size_t i = 0; status == PLD_OK && i < files->count; i++) {
        status = scale_one(files, i, taken, &kept, error);
        any = any || pld_weight_is_scaled(&files->weights[i]);
    }
    for (size_t i = 0; status == PLD_OK && any && i < files->count; i++) {
        size_t base = 0;
        taken[i] = taken[i] || ends_with(files->weights[i].tensor->name, mark, &base);
    }
    if (status == PLD_OK && any) {
        drop_taken(files, taken);
        pld_weight_files_sort(files);
    }
    json_decref(kept.document);
    pld_free(taken);
    return status;
}

bool pld_weight_is_scaled(const pld_weight *weight) {
    return weight->scale != 0 || weight->row_scales;
}

bool pld_weight_is_number(const pld_weight *weight) {
    const pld_dtype dtype = weight->tensor->dtype;
    return pld_dtype_is_float(dtype) || (dtype == PLD_DTYPE_I8 && pld_weight_is_scaled(weight));
}

pld_status pld_weight_row_scales(const pld_weight *weight, size_t first, size_t count, float *out,
                                 pld_error *error) {
    const pld_stored_tensor *matrix = weight->tensor, *scales = weight->row_scales;
    if (!scales) {
        for (size_t i = 0; i < count; i++) {
            out[i] = 1;
        }
        return PLD_OK;
    }
    const size_t rows = (size_t)matrix->shape[0], size = pld_dtype_size(scales->dtype);
    const size_t turned = weight->turned ? (size_t)weight->turned / (matrix->bytes / rows) : 0;
    for (size_t done = 0; done < count;) {
        enum { ROWS = 64, MOST_SIZE = 8 };
        unsigned char stored[ROWS * MOST_SIZE];
        const size_t row = (first + done + turned) % rows; /* a run ends where the rows begin again */
        size_t part = rows - row < count - done ? rows - row : count - done;
        part = part < ROWS ? part : ROWS;
        PLD_TRY(pld_tensor_file_read(weight->scales_file, scales, (weight->first_scale + row) * size,
                                     part * size, stored, error));
        for (size_t i = 0; i < part; i++) {
            out[done + i] = (float)pld_dtype_value(scales->dtype, stored + i * size);
        }
        done += part;
    }
    return PLD_OK;
}
