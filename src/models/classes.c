/* SPDX-License-Identifier: Apache-2.0 */
#include "models/classes.h"

/** What is said of each role. */
static const struct {
    const char *is, *expected;
} roles[] = {
    [PLD_CLASS_PIPELINE] = {"a pipeline", "a pipeline of a family that 'pladis list families' lists"},
    [PLD_CLASS_DENOISER] = {"a denoising network", "UNet2DConditionModel"},
    [PLD_CLASS_AUTOENCODER] = {"an autoencoder", "AutoencoderKL"},
    [PLD_CLASS_TEXT_ENCODER] = {"a text encoder", "CLIPTextModel or CLIPTextModelWithProjection"},
    [PLD_CLASS_TOKENIZER] = {"a tokenizer", "CLIPTokenizer"},
    [PLD_CLASS_SCHEDULER] =
        {"a scheduler",
         "the class of a sampler that 'pladis list samplers' lists, such as EulerDiscreteScheduler"},
};

pld_status pld_class_check(const pld_json *at, const char *field, const char *name, pld_class_role role,
                           pld_error *error) {
    const pld_class *row = pld_class_find(name);
    if (!row) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field '%s': found the unknown class '%.60s'; expected %s", at->file, field, name,
                        roles[role].expected);
    }
    if (row->is) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field '%s': found %.60s (%s), which is not supported; expected %s", at->file,
                        field, name, row->is, roles[role].expected);
    }
    return row->role == role ? PLD_OK
                             : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                                        "%s: field '%s': found %.60s, which is %s; expected %s", at->file,
                                        field, name, roles[row->role].is, roles[role].expected);
}

pld_status pld_class_check_field(const pld_json *at, const char *field, pld_class_role role,
                                 pld_error *error) {
    const char *name = NULL;
    PLD_TRY(pld_json_get_string(at, field, PLD_JSON_NULLABLE, &name, error));
    return name ? pld_class_check(at, field, name, role, error) : PLD_OK;
}

pld_status pld_class_check_architecture(const pld_json *at, pld_class_role role, pld_error *error) {
    enum { MOST = 8 };
    const char *names[MOST] = {0};
    size_t count = 0;
    PLD_TRY(pld_json_get_strings(at, "architectures", PLD_JSON_NULLABLE, MOST, names, &count, error));
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(pld_class_check(at, "architectures", names[i], role, error));
    }
    return pld_class_check_field(at, "model_type", role, error);
}
