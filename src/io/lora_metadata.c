/* SPDX-License-Identifier: Apache-2.0 */
#include "io/lora_metadata.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

pld_status pld_lora_metadata_read(const pld_safetensors *tensors, pld_lora_metadata *metadata,
                                  pld_error *error) {
    const char *text = pld_safetensors_metadata_find(tensors, "lora_adapter_metadata");
    *metadata = (pld_lora_metadata){0};
    if (!text) {
        return PLD_OK;
    }
    metadata->place = pld_format("%s: metadata 'lora_adapter_metadata'", pld_safetensors_path(tensors));
    if (!metadata->place) {
        return pld_fail_memory(error, strlen(pld_safetensors_path(tensors)), "metadata");
    }
    PLD_TRY(pld_json_parse(text, strlen(text), metadata->place, &metadata->document, error));
    pld_json top;
    return pld_json_top(metadata->document, metadata->place, &top, error);
}

void pld_lora_metadata_clear(pld_lora_metadata *metadata) {
    json_decref(metadata->document);
    pld_free(metadata->place);
    *metadata = (pld_lora_metadata){0};
}

/** Whether the path of `module` ends in the pattern's key, which has dots. */
static bool pattern_fits(const pld_lora_module *module, const char *key) {
    size_t path = strlen(module->path);
    size_t length = strlen(key);
    if (length == 0 || length > path || (length < path && module->path[path - length - 1] != '_')) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const char found = module->path[path - length + i];
        if (key[i] == '.' ? found != '_' : found != key[i]) {
            return false;
        }
    }
    return true;
}

static pld_status alpha_of_pattern(const pld_json *top, const char *part, const pld_lora_module *module,
                                   double *alpha, pld_error *error) {
    char field[64];
    pld_json patterns;
    snprintf(field, sizeof field, "%s.alpha_pattern", part);
    PLD_TRY(pld_json_object(top, field, PLD_JSON_NULLABLE, &patterns, error));
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)patterns.value, key, value) {
        if (pattern_fits(module, key)) {
            return pld_json_get_number(&patterns, key, PLD_JSON_REQUIRED, alpha, error);
        }
    }
    return PLD_OK;
}

pld_status pld_lora_metadata_alpha(const pld_lora_metadata *metadata, const pld_lora_module *module,
                                   double *alpha, bool *root, pld_error *error) {
    pld_json top;
    char field[64];
    const char *part = pld_lora_part_name(module->part);
    if (!metadata->document) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_top(metadata->document, metadata->place, &top, error));
    snprintf(field, sizeof field, "%s.lora_alpha", part);
    PLD_TRY(pld_json_get_number(&top, field, PLD_JSON_NULLABLE, alpha, error));
    snprintf(field, sizeof field, "%s.use_rslora", part);
    PLD_TRY(pld_json_get_bool(&top, field, PLD_JSON_NULLABLE, root, error));
    return alpha_of_pattern(&top, part, module, alpha, error);
}
