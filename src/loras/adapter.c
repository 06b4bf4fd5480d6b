/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/adapter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"

/** The adapter_config.json of a file that PEFT wrote, in new memory; NULL without an error where there is
 *  none. */
static pld_status find_configuration(const char *path, char **configuration, pld_error *error) {
    static const char stem[] = "adapter_model";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    *configuration = NULL;
    if (strncmp(name, stem, sizeof stem - 1) != 0) {
        return PLD_OK;
    }
    char *beside = pld_format("%.*sadapter_config.json", (int)(name - path), path);
    if (!beside) {
        return pld_fail_memory(error, strlen(path), "path");
    }
    if (access(beside, F_OK) != 0 && errno == ENOENT) {
        pld_free(beside);
        return PLD_OK;
    }
    *configuration = beside;
    return PLD_OK;
}

pld_status pld_lora_adapter_read(const pld_tensor_file *tensors, pld_lora_adapter *adapter,
                                 pld_error *error) {
    const char *path = pld_tensor_file_path(tensors);
    const char *text = pld_tensor_file_metadata_find(tensors, "lora_adapter_metadata");
    pld_json top;
    *adapter = (pld_lora_adapter){0};
    if (text) {
        adapter->place = pld_format("%s: metadata 'lora_adapter_metadata'", path);
        if (!adapter->place) {
            return pld_fail_memory(error, strlen(path), "metadata");
        }
        PLD_TRY(pld_json_parse(text, strlen(text), adapter->place, &adapter->document, error));
    } else {
        PLD_TRY(find_configuration(path, &adapter->place, error));
        if (!adapter->place) {
            return PLD_OK;
        }
        PLD_TRY(pld_json_load(adapter->place, 0, &adapter->document, error));
    }
    return pld_json_top(adapter->document, adapter->place, &top, error);
}

void pld_lora_adapter_clear(pld_lora_adapter *adapter) {
    for (int i = 0; i < PLD_LORA_PART_COUNT; i++) {
        pld_lora_patterns_close(&adapter->parts[i].alpha_keys);
        pld_lora_patterns_close(&adapter->parts[i].rank_keys);
    }
    json_decref(adapter->document);
    pld_free(adapter->place);
    *adapter = (pld_lora_adapter){0};
}

/** A document with a field that begins with "PART." has a configuration for each of its parts; else it is
 *  one. */
static bool is_by_part(const json_t *document, pld_lora_part part, bool *has_part) {
    bool by_part = false;
    *has_part = false;
    for (int i = 0; i < PLD_LORA_PART_COUNT; i++) {
        const char *name = pld_lora_part_name((pld_lora_part)i);
        const size_t length = strlen(name);
        const char *key = NULL;
        json_t *value = NULL;
        json_object_foreach((json_t *)(uintptr_t)document, key, value) {
            const bool of_part = strncmp(key, name, length) == 0 && key[length] == '.';
            by_part = by_part || of_part;
            *has_part = *has_part || (of_part && i == (int)part);
        }
    }
    return by_part;
}

/** A configuration on its way into settings: fields are `prefix` and their name. */
typedef struct fields {
    pld_json top;
    char prefix[32];
    char name[96];
} fields;

static const char *named(fields *at, const char *field) {
    snprintf(at->name, sizeof at->name, "%s%s", at->prefix, field);
    return at->name;
}

static pld_status refuse_field(fields *at, const char *field, const char *why, pld_error *error) {
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field '%s': %s, which cannot be applied; only LoRA, LoHa, LoKr and DoRA whose "
                    "tensors are the whole change can",
                    at->top.file, named(at, field), why);
}

/** Fields that PEFT writes for what a sum of weight and change does not give. */
static const struct {
    const char *field, *what;
} beyond_a_change[] = {
    {"modules_to_save", "whole modules are replaced"},
    {"layer_replication", "layers are repeated"},
    {"use_qalora", "inputs are pooled (QA-LoRA)"},
    {"alora_invocation_tokens", "the change depends on the text (activated LoRA)"},
    {"use_bdlora", "the factors are block-diagonal (BD-LoRA)"},
    {"arrow_config", "adapters are chosen by the input (Arrow)"},
    {"kasa_config", "singular values are truncated (KaSA)"},
    {"monteclora_config", "factors are sampled (MonteCLoRA)"},
    {"trainable_token_indices", "embeddings are replaced"},
    {"target_parameters", "it changes parameters that are not modules"},
    {"lora_bias", "its factors have biases"},
};

/** Initialisations that take the first B A out of the model's own weights: W + B A is then not what was
 *  trained. */
static const char *const residual_starts[] = {"pissa", "corda", "olora", "loftq", "lora_ga"};

static bool is_neutral(const json_t *value) {
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static pld_status check_initialisation(fields *at, pld_error *error) {
    pld_json start;
    PLD_TRY(pld_json_field(&at->top, named(at, "init_lora_weights"), PLD_JSON_NULLABLE, &start, error));
    const char *text = json_string_value(start.value);
    for (size_t i = 0; text && i < sizeof residual_starts / sizeof *residual_starts; i++) {
        if (strncmp(text, residual_starts[i], strlen(residual_starts[i])) == 0) {
            return refuse_field(
                at, "init_lora_weights",
                "the training began by changing the model's own weights (convert it with PEFT's "
                "path_initial_model_for_weight_conversion)",
                error);
        }
    }
    return PLD_OK;
}

/** Refuse what is no plain change, whatever the tensors are named. */
static pld_status check_fields(fields *at, pld_error *error) {
    const char *bias = "none";
    for (size_t i = 0; i < sizeof beyond_a_change / sizeof *beyond_a_change; i++) {
        pld_json field;
        PLD_TRY(
            pld_json_field(&at->top, named(at, beyond_a_change[i].field), PLD_JSON_NULLABLE, &field, error));
        if (!is_neutral(field.value)) {
            return refuse_field(at, beyond_a_change[i].field, beyond_a_change[i].what, error);
        }
    }
    PLD_TRY(pld_json_get_string(&at->top, named(at, "bias"), PLD_JSON_NULLABLE, &bias, error));
    if (strcmp(bias, "none") != 0) {
        return refuse_field(at, "bias", "biases are replaced", error);
    }
    return check_initialisation(at, error);
}

static pld_status read_kind(fields *at, pld_lora_kind *kind, pld_error *error) {
    static const struct {
        const char *type;
        pld_lora_kind kind;
    } rows[] = {{"LORA", PLD_KIND_LORA}, {"LOHA", PLD_KIND_LOHA}, {"LOKR", PLD_KIND_LOKR}};
    const char *type = "LORA";
    PLD_TRY(pld_json_get_string(&at->top, named(at, "peft_type"), PLD_JSON_NULLABLE, &type, error));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(type, rows[i].type) == 0) {
            *kind = rows[i].kind;
            return PLD_OK;
        }
    }
    char why[64];
    snprintf(why, sizeof why, "the adapter is of the kind %.32s", type);
    return refuse_field(at, "peft_type", why, error);
}

/** All of a configuration; what it leaves out has PEFT's defaults. */
static pld_status read_fields(fields *at, pld_lora_settings *settings, pld_error *error) {
    enum { PEFT_DEFAULT = 8, MOST_RANK = 1 << 20 };
    settings->alpha = PEFT_DEFAULT;
    settings->rank = PEFT_DEFAULT;
    PLD_TRY(read_kind(at, &settings->kind, error));
    PLD_TRY(check_fields(at, error));
    const char *alpha = settings->kind == PLD_KIND_LORA ? "lora_alpha" : "alpha";
    PLD_TRY(pld_json_get_number(&at->top, named(at, alpha), PLD_JSON_NULLABLE, &settings->alpha, error));
    PLD_TRY(pld_json_get_integer(&at->top, named(at, "r"), PLD_JSON_NULLABLE, 1, MOST_RANK, &settings->rank,
                                 error));
    if (settings->kind == PLD_KIND_LORA) {
        PLD_TRY(
            pld_json_get_bool(&at->top, named(at, "use_rslora"), PLD_JSON_NULLABLE, &settings->root, error));
        PLD_TRY(
            pld_json_get_bool(&at->top, named(at, "use_dora"), PLD_JSON_NULLABLE, &settings->dora, error));
        settings->states_dora = pld_json_has(&at->top, named(at, "use_dora"));
    }
    PLD_TRY(
        pld_json_object(&at->top, named(at, "alpha_pattern"), PLD_JSON_NULLABLE, &settings->alphas, error));
    PLD_TRY(pld_json_object(&at->top, named(at, "rank_pattern"), PLD_JSON_NULLABLE, &settings->ranks, error));
    PLD_TRY(pld_lora_patterns_open(&settings->alphas, &settings->alpha_keys, error));
    return pld_lora_patterns_open(&settings->ranks, &settings->rank_keys, error);
}

/** PEFT names the modules of both text encoders alike; the class that it notes tells them apart. */
static pld_status check_class(fields *at, pld_lora_part part, pld_error *error) {
    pld_json mapping;
    const char *name = "";
    PLD_TRY(pld_json_object(&at->top, named(at, "auto_mapping"), PLD_JSON_NULLABLE, &mapping, error));
    if (!mapping.value || part != PLD_LORA_TEXT_ENCODER || at->prefix[0]) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_get_string(&mapping, "base_model_class", PLD_JSON_NULLABLE, &name, error));
    return strcmp(name, "CLIPTextModelWithProjection") != 0
               ? PLD_OK
               : refuse_field(at, "auto_mapping",
                              "it is for the second text encoder, but its tensors are named as the first's "
                              "(save it with diffusers' save_lora_weights)",
                              error);
}

static pld_status read_settings(const pld_lora_adapter *adapter, pld_lora_part part,
                                pld_lora_settings *settings, pld_error *error) {
    fields at = {.prefix = ""};
    bool has_part = false;
    settings->read = true;
    if (!adapter->document) {
        return PLD_OK;
    }
    PLD_TRY(pld_json_top(adapter->document, adapter->place, &at.top, error));
    if (is_by_part(adapter->document, part, &has_part)) {
        snprintf(at.prefix, sizeof at.prefix, "%s.", pld_lora_part_name(part));
        if (!has_part) {
            return PLD_OK;
        }
    }
    settings->stated = true;
    PLD_TRY(check_class(&at, part, error));
    return read_fields(&at, settings, error);
}

/** The key of a pattern table that the module's name matches; NULL: none. */
static pld_status find_key(pld_lora_patterns *keys, const pld_json *table, const pld_lora_module *module,
                           const char **key, pld_error *error) {
    *key = NULL;
    if (pld_lora_patterns_count(keys) == 0) {
        return PLD_OK;
    }
    if (!module->dotted) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: field '%s' cannot be matched with the module '%.*s', whose name has no dots; expected the "
            "names of PEFT or diffusers beside it",
            table->file, table->path, module->name_length, module->name);
    }
    const int start = (int)(module->dotted - module->name);
    return pld_lora_patterns_find(keys, module->dotted, (size_t)(module->name_length - start), key, error);
}

pld_status pld_lora_adapter_check(pld_lora_adapter *adapter, pld_lora_part part, pld_error *error) {
    pld_lora_settings *settings = &adapter->parts[part];
    return settings->read ? PLD_OK : read_settings(adapter, part, settings, error);
}

pld_status pld_lora_adapter_terms(pld_lora_adapter *adapter, const pld_lora_module *module,
                                  pld_lora_terms *terms, pld_error *error) {
    pld_lora_settings *settings = &adapter->parts[module->part];
    const char *key = NULL;
    *terms = (pld_lora_terms){0};
    PLD_TRY(pld_lora_adapter_check(adapter, module->part, error));
    if (!settings->stated) {
        return PLD_OK;
    }
    *terms = (pld_lora_terms){true,           settings->alpha,       settings->rank,
                              settings->root, settings->states_dora, settings->dora};
    if (module->kind != settings->kind && module->kind != PLD_KIND_DIFFERENCE) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'peft_type' and the factors of module '%.*s' are of different kinds; the "
                        "configuration belongs to another file",
                        adapter->place, module->name_length, module->name);
    }
    PLD_TRY(find_key(settings->alpha_keys, &settings->alphas, module, &key, error));
    if (key) {
        PLD_TRY(pld_json_get_number(&settings->alphas, key, PLD_JSON_REQUIRED, &terms->alpha, error));
    }
    PLD_TRY(find_key(settings->rank_keys, &settings->ranks, module, &key, error));
    return key ? pld_json_get_integer(&settings->ranks, key, PLD_JSON_REQUIRED, 1, 1 << 20, &terms->rank,
                                      error)
               : PLD_OK;
}
