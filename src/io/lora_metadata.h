/* SPDX-License-Identifier: Apache-2.0 */
/** The alphas that PEFT keeps in a file's metadata instead of tensors. Private to lora_*.c. */
#ifndef PLD_IO_LORA_METADATA_H
#define PLD_IO_LORA_METADATA_H

#include "io/json.h"
#include "io/lora_file.h"

typedef struct pld_lora_metadata {
    json_t *document; /**< NULL: none */
    char *place;      /**< for messages: the file, and where in it */
} pld_lora_metadata;

/** Parse `lora_adapter_metadata` where the file has it. Give back with
 *  pld_lora_metadata_clear, after a failure too. */
pld_status pld_lora_metadata_read(const pld_safetensors *tensors, pld_lora_metadata *metadata,
                                  pld_error *error);

void pld_lora_metadata_clear(pld_lora_metadata *metadata);

/** Set `*alpha` to what is stated for the module: its entry in alpha_pattern, else lora_alpha. Untouched
 *  where nothing is. `*root`: rank-stabilised, alpha / √rank (Kalajdzievski 2023, arXiv 2312.03732). */
pld_status pld_lora_metadata_alpha(const pld_lora_metadata *metadata, const pld_lora_module *module,
                                   double *alpha, bool *root, pld_error *error);

#endif
