/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model/weight_check.h"

#include <math.h>
#include <string.h>

#include "core/text.h"
#include "nn/weight_values.h"

enum { BLOCK = 1 << 12 };

/* Tensors beside quantised weights. A name that begins with a dot is the end of a tensor's name, else the
 * whole. */
static const struct {
    const char *name, *fp8, *other;
} spellings[] = {
    {"scaled_fp8", "scaled fp8 weights (marked by 'scaled_fp8')",
     "quantised weights (marked by 'scaled_fp8')"},
    {".scale_weight", "scaled fp8 weights (marked by 'scale_weight')",
     "quantised weights (marked by 'scale_weight')"},
    {".scale_input", "scaled fp8 weights (marked by 'scale_input')",
     "quantised weights (marked by 'scale_input')"},
    {".comfy_quant", "scaled fp8 weights (marked by 'comfy_quant')",
     "quantised weights (marked by 'comfy_quant')"},
    {".weight_scale", "scaled fp8 weights (marked by 'weight_scale')",
     "quantised weights (marked by 'weight_scale')"},
    {".weight_scale_2", "scaled fp8 weights (marked by 'weight_scale_2')",
     "quantised weights (marked by 'weight_scale_2', as in NVFP4)"},
    {".weight_scale_inv", "scaled fp8 weights (marked by 'weight_scale_inv')",
     "quantised weights (marked by 'weight_scale_inv')"},
    {".input_scale", "scaled fp8 weights (marked by 'input_scale')",
     "quantised weights (marked by 'input_scale')"},
    {".quant_state.bitsandbytes__nf4", NULL, "nf4 weights of bitsandbytes"},
    {".quant_state.bitsandbytes__fp4", NULL, "fp4 weights of bitsandbytes"},
    {".SCB", NULL, "int8 weights of bitsandbytes"},
    {".qweight", NULL, "weights in the form of GPTQ, AWQ or SVDQuant (marked by 'qweight')"},
};

static bool fits(const char *name, const char *spelling) {
    const size_t length = strlen(name);
    const size_t tail = strlen(spelling);
    return spelling[0] != '.' ? strcmp(name, spelling) == 0
                              : length > tail && strcmp(name + length - tail, spelling) == 0;
}

static size_t count_fp8(const pld_weight_files *files) {
    size_t count = 0;
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        count += pld_dtype_is_f8(pld_weight_files_at(files, i).tensor->dtype);
    }
    return count;
}

const char *pld_quantised_spelling(const pld_weight_files *files, const char **tensor) {
    for (size_t row = 0; row < sizeof spellings / sizeof *spellings; row++) {
        for (size_t i = 0; i < pld_weight_files_count(files); i++) {
            const char *name = pld_weight_files_at(files, i).tensor->name;
            if (fits(name, spellings[row].name)) {
                *tensor = name;
                return spellings[row].fp8 && count_fp8(files) ? spellings[row].fp8 : spellings[row].other;
            }
        }
    }
    return NULL;
}

/** What a tensor X.comfy_quant says of X, as ", described as …"; nothing of other tensors. */
static void describe_format(const pld_weight_files *files, const char *tensor, char *out, size_t size) {
    enum { MOST = 160 };
    char text[MOST + 1];
    pld_weight weight;
    out[0] = '\0';
    if (!fits(tensor, ".comfy_quant") || !pld_weight_files_find(files, tensor, &weight)) {
        return;
    }
    const size_t bytes = weight.tensor->bytes < MOST ? weight.tensor->bytes : MOST;
    if (pld_tensor_file_read(weight.file, weight.tensor, 0, bytes, text, NULL) == PLD_OK) {
        text[bytes] = '\0';
        pld_print_text(out, size, ", described as %s", text);
    }
}

pld_status pld_check_plain_numbers(const pld_weight_files *files, const pld_log *log, pld_error *error) {
    const char *path = pld_weight_files_path(files, 0);
    const char *tensor = NULL;
    const char *spelling = pld_quantised_spelling(files, &tensor);
    if (spelling) {
        char format[200];
        describe_format(files, tensor, format, sizeof format);
        return pld_fail(
            error, PLD_ERROR_UNSUPPORTED,
            "%s: tensor '%s': the file contains %s%s, which are not supported; use the f16, bf16 or a "
            "GGUF version of the model",
            path, tensor, spelling, format);
    }
    const size_t fp8 = count_fp8(files);
    if (fp8) {
        pld_log_message(log, PLD_LOG_NOTICE,
                        "%s: %zu tensors are 8-bit floating point; pictures are less "
                        "exact than with the f16 version of the model",
                        path, fp8);
    }
    return PLD_OK;
}

/** Weights of layers, of which honest ones are never all zero; a bias may be. */
static bool is_weight(const pld_stored_tensor *tensor) {
    const size_t length = strlen(tensor->name);
    static const char tail[] = "weight";
    return tensor->bytes > 0 && (pld_dtype_is_float(tensor->dtype) || tensor->dtype == PLD_DTYPE_I8) &&
           (tensor->rank >= 2 ||
            (length >= sizeof tail - 1 && strcmp(tensor->name + length - (sizeof tail - 1), tail) == 0));
}

/** Whether the bytes of a block are all 0. */
static pld_status block_is_zero(const pld_weight *weight, size_t at, bool *zero, pld_error *error) {
    unsigned char block[BLOCK];
    const size_t left = weight->tensor->bytes - at;
    const size_t part = left < BLOCK ? left : BLOCK;
    PLD_TRY(pld_tensor_file_read(weight->file, weight->tensor, at, part, block, error));
    *zero = block[0] == 0 && memcmp(block, block + 1, part - 1) == 0;
    return PLD_OK;
}

/** Whether every byte is 0. Reading ends at the first block that is not. Blocks here and there are looked at
 * first; whole tensors only while `*budget` bytes last, since a file of zeros may be large. */
static pld_status is_zero(const pld_weight *weight, size_t *budget, bool *zero, pld_error *error) {
    enum { SAMPLES = 16 };
    const size_t bytes = weight->tensor->bytes;
    *zero = true;
    for (size_t i = 0; *zero && i < SAMPLES; i++) {
        PLD_TRY(block_is_zero(weight, (bytes - 1) / SAMPLES * i, zero, error));
    }
    for (size_t at = 0; *zero && at < bytes && *budget >= BLOCK; at += BLOCK, *budget -= BLOCK) {
        PLD_TRY(block_is_zero(weight, at, zero, error));
    }
    return PLD_OK;
}

pld_status pld_note_zero_weights(const pld_weight_files *files, const char *part, const pld_log *log,
                                 pld_error *error) {
    size_t budget = (size_t)16 << 20;
    size_t weights = 0;
    size_t zeros = 0;
    pld_weight first = {0};
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const pld_weight weight = pld_weight_files_at(files, i);
        bool zero = false;
        if (is_weight(weight.tensor)) {
            weights++;
            PLD_TRY(is_zero(&weight, &budget, &zero, error));
            first = zero && !zeros ? weight : first;
            zeros += zero;
        }
    }
    if (zeros) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "%s: %zu of the %zu weights of the %s contain only zeros ('%.100s'%s); the file may "
                        "be damaged: download or convert it again",
                        pld_tensor_file_path(first.file), zeros, weights, part, first.tensor->name,
                        zeros > 1 ? ", …" : "");
    }
    return PLD_OK;
}

bool pld_find_weight_not_finite(const pld_weight_files *files, const pld_weight_backend *backend,
                                pld_weight *found) {
    float values[BLOCK];
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        *found = pld_weight_files_at(files, i);
        const pld_stored_tensor *tensor = found->tensor;
        const bool is_number = pld_weight_is_number(found);
        const size_t count = is_number ? pld_dtype_elements(tensor->dtype, tensor->bytes) : 0;
        pld_weight stored = *found;
        stored.transposed = false; /* in the order of the file, which is as good here */
        for (size_t done = 0; done < count; done += BLOCK) {
            const size_t part = count - done < BLOCK ? count - done : BLOCK;
            if (pld_weight_values(backend, &stored, done, part, values, NULL) != PLD_OK) {
                return false;
            }
            for (size_t j = 0; j < part; j++) {
                if (!isfinite(values[j])) {
                    return true;
                }
            }
        }
    }
    return false;
}
