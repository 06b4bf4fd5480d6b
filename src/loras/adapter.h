/* SPDX-License-Identifier: Apache-2.0 */
/** PEFT's configuration of an adapter, which holds what its tensors do not say: alpha, and how it is meant.
 *  diffusers keeps it in the file's metadata, PEFT in adapter_config.json beside adapter_model.safetensors.
 *  Private to src/loras. */
#ifndef PLD_LORAS_ADAPTER_H
#define PLD_LORAS_ADAPTER_H

#include "io/json/read.h"
#include "io/tensors/tensor_file.h"
#include "loras/module.h"
#include "loras/patterns.h"

/** The configuration of one part of a model. */
typedef struct pld_lora_settings {
    bool read;   /**< the rest is set */
    bool stated; /**< the file has a configuration for this part */
    pld_lora_kind kind;
    double alpha;
    int64_t rank;
    bool root;              /**< rank-stabilised, alpha / √rank (Kalajdzievski 2023, arXiv 2312.03732) */
    bool states_dora, dora; /**< dora: each module must have a magnitude, else none may */
    pld_json alphas, ranks; /**< alpha_pattern, rank_pattern */
    pld_lora_patterns *alpha_keys, *rank_keys;
} pld_lora_settings;

typedef struct pld_lora_adapter {
    json_t *document; /**< NULL: none */
    char *place;      /**< for messages: the file, and where in it */
    pld_lora_settings parts[PLD_LORA_PART_COUNT];
} pld_lora_adapter;

/** What is stated for one module. */
typedef struct pld_lora_terms {
    bool stated;
    double alpha;
    int64_t rank;
    bool root, states_dora, dora;
} pld_lora_terms;

/** Parse the metadata `lora_adapter_metadata` where the file has it, else the adapter_config.json beside a
 *  file named adapter_model….safetensors. Give back with pld_lora_adapter_clear, after a failure too. */
pld_status pld_lora_adapter_read(const pld_tensor_file *tensors, pld_lora_adapter *adapter, pld_error *error);

void pld_lora_adapter_clear(pld_lora_adapter *adapter);

/** Read the configuration of a part. PLD_ERROR_UNSUPPORTED names a field by which the tensors are no plain
 *  change of weights: another kind of adapter, an initialisation that changed the model, …. */
pld_status pld_lora_adapter_check(pld_lora_adapter *adapter, pld_lora_part part, pld_error *error);

/** What the adapter states for the module; its part is checked first. */
pld_status pld_lora_adapter_terms(pld_lora_adapter *adapter, const pld_lora_module *module,
                                  pld_lora_terms *terms, pld_error *error);

#endif
