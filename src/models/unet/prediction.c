/* SPDX-License-Identifier: Apache-2.0 */
/* What a network predicts is not in its shapes. Files say it in three ways: empty tensors as marks, metadata,
 * and in SD 2 the spread of one bias, which differs between the published ε and v networks. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "models/prediction.h"
#include "models/published.h"
#include "models/unet/unet.h"

static const char epsilon[] = "epsilon";
static const char v_prediction[] = "v_prediction";
static const char sample[] = "sample";

static bool has(const pld_weight_files *files, const char *name) {
    pld_weight weight;
    return pld_weight_files_find(files, name, &weight);
}

/** A metadata string of the first file that has it, or NULL. */
static const char *metadata(const pld_weight_files *files, const char *key) {
    const char *value = NULL;
    for (size_t i = 0; !value && i < pld_weight_files_file_count(files); i++) {
        value = pld_tensor_file_metadata_find(pld_weight_files_file(files, i), key);
    }
    return value;
}

/** Metadata that programs write about the prediction. A value that means nothing here is named as the reason.
 */
static void tell_from_metadata(const pld_weight_files *files, pld_told_prediction *told) {
    static const struct {
        const char *key, *value, *type;
    } rows[] = {
        {"modelspec.prediction_type", "epsilon", epsilon},
        {"modelspec.prediction_type", "v", v_prediction},
        {"modelspec.prediction_type", "v_prediction", v_prediction},
        {"modelspec.prediction_type", "sample", sample},
        {"modelspec.predict_key", "epsilon", epsilon},
        {"modelspec.predict_key", "v", v_prediction},
        {"ss_v_parameterization", "true", v_prediction},
        {"ss_v_parameterization", "false", epsilon},
    };
    const char *unknown = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = metadata(files, rows[i].key);
        if (value && pld_equal_ignoring_case(value, rows[i].value)) {
            told->type = rows[i].type;
            told->teller = PLD_TOLD_BY_METADATA;
            snprintf(told->reason, sizeof told->reason, "metadata: %s is \"%s\"", rows[i].key, rows[i].value);
            return;
        }
        unknown = !unknown && value ? rows[i].key : unknown;
    }
    if (unknown) {
        snprintf(told->reason, sizeof told->reason,
                 "metadata: %s is \"%.40s\", which is not known, so the usual one is assumed", unknown,
                 metadata(files, unknown));
    }
}

/** The standard deviation (with n) of stored numbers as float32. */
static double deviation(pld_dtype dtype, const unsigned char *stored, size_t count) {
    const size_t size = pld_dtype_size(dtype);
    double mean = 0;
    double square = 0;
    for (size_t i = 0; i < count; i++) {
        mean += (double)(float)pld_dtype_value(dtype, stored + i * size) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        const double distance = (double)(float)pld_dtype_value(dtype, stored + i * size) - mean;
        square += distance * distance / (double)count;
    }
    return sqrt(square);
}

/** The standard deviation (with n) of a bias as float32; negative when it cannot be told. */
static pld_status spread_of(const pld_weight *weight, double *spread, pld_error *error) {
    enum { MOST = 1 << 16 };
    const pld_stored_tensor *tensor = weight->tensor;
    const size_t count = tensor->bytes / pld_dtype_size(tensor->dtype);
    *spread = -1;
    if (count == 0 || count > MOST || !pld_dtype_is_float(tensor->dtype) ||
        pld_dtype_is_quantised(tensor->dtype)) {
        return PLD_OK;
    }
    unsigned char *stored = pld_allocate(tensor->bytes, 1);
    if (!stored) {
        return pld_fail_memory(error, tensor->bytes, tensor->name);
    }
    const pld_status status = pld_weight_read(weight, 0, tensor->bytes, stored, error);
    if (status == PLD_OK) {
        *spread = deviation(tensor->dtype, stored, count);
    }
    pld_free(stored);
    return status;
}

/** SD 2: a standard deviation above 0.09 is that of v networks (the rule of AUTOMATIC1111's and ComfyUI's
 *  users' files; 512-base has about half of it). */
static pld_status tell_from_statistic(const pld_weight_files *unet, pld_told_prediction *told,
                                      pld_error *error) {
    static const char bias[] = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias";
    const double threshold = 0.09;
    pld_weight weight;
    double spread = -1;
    if (!pld_weight_files_find(unet, bias, &weight)) {
        return PLD_OK;
    }
    PLD_TRY(spread_of(&weight, &spread, error));
    if (spread > 0) { /* equal biases are those of a network that was never trained */
        told->teller = PLD_TOLD_BY_STATISTIC;
        told->type = spread > threshold ? v_prediction : epsilon;
        pld_print_text(told->reason, sizeof told->reason,
                       "the bias of the last self-attention's norm has a spread of %.3f (above %.2f means v)",
                       spread, threshold);
    }
    return PLD_OK;
}

/** Playground 2.5 and CosXL. */
static bool is_edm(const pld_weight_files *files) {
    return has(files, "edm_mean") || has(files, "edm_std") || has(files, "edm_vpred.sigma_max") ||
           has(files, "edm_vpred.sigma_min");
}

pld_status pld_unet_tell_prediction(const pld_weight_files *files, const pld_weight_files *unet,
                                    const pld_published *published, pld_told_prediction *told,
                                    pld_error *error) {
    *told = (pld_told_prediction){.type = epsilon, .zero_snr = has(files, "ztsnr")};
    snprintf(told->reason, sizeof told->reason, "the file does not say, so the usual one%s%s is assumed",
             published ? " for " : "", published ? published->title : "");
    if (is_edm(files)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: the network was trained in the EDM formulation (Playground 2.5, CosXL), which "
                        "is not supported; use a network that predicts noise or v",
                        pld_weight_files_path(files, 0));
    }
    if (has(files, "v_pred")) {
        told->type = v_prediction;
        told->teller = PLD_TOLD_BY_MARK;
        snprintf(told->reason, sizeof told->reason, "the file contains the mark 'v_pred'%s",
                 told->zero_snr ? " and 'ztsnr'" : "");
        return PLD_OK;
    }
    tell_from_metadata(files, told);
    return told->teller == PLD_TOLD_BY_NOTHING && published && strcmp(published->name, "sd2") == 0
               ? tell_from_statistic(unet, told, error)
               : PLD_OK;
}
