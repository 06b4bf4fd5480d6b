/* SPDX-License-Identifier: Apache-2.0 */
/** A LoRA file: changes of a model's weights, module by module. Opened and checked here as far as that is
 * possible without the model: names, that no half is missing, types, alpha.
 */
#ifndef PLD_LORAS_FILE_H
#define PLD_LORAS_FILE_H

#include "io/tensors/tensor_file.h"
#include "loras/module.h"

/** An opened file: immutable, shareable between threads. */
typedef struct pld_lora_file pld_lora_file;

/** Open and check. `path` may be a folder, which holds adapter_model.safetensors (PEFT) or
 *  pytorch_lora_weights.safetensors (diffusers). PLD_ERROR_FORMAT for a damaged file, PLD_ERROR_UNSUPPORTED
 *  for one that is no LoRA or of a kind that cannot be applied; both name file and module. */
pld_status pld_lora_file_open(const char *path, pld_lora_file **file, pld_error *error);

/** Close; `*file` becomes NULL. NULL is accepted. */
void pld_lora_file_close(pld_lora_file **file);

const pld_tensor_file *pld_lora_file_tensors(const pld_lora_file *file);

/** Modules by part and path; `index` < count. */
size_t pld_lora_file_count(const pld_lora_file *file);
const pld_lora_module *pld_lora_file_at(const pld_lora_file *file, size_t index);

/** Tensors whose names mean nothing here: `index` < count. */
size_t pld_lora_file_unknown_count(const pld_lora_file *file);
const char *pld_lora_file_unknown_at(const pld_lora_file *file, size_t index);

/** Modules for which no alpha is known, neither in the file nor in a configuration beside it: their scale
 *  is 1. */
size_t pld_lora_file_unscaled_count(const pld_lora_file *file);

/** "kohya", "diffusers", "PEFT", "LyCORIS", "ai-toolkit" */
const char *pld_lora_file_style(const pld_lora_file *file);
const char *pld_lora_file_kind(const pld_lora_file *file); /**< of most modules: "LoRA", "DoRA", "LoHa", … */

/** What the file seems to be for, from part names, the width of the text states that cross-attention
 *  takes, and metadata: "Stable Diffusion 1.x", or NULL. */
const char *pld_lora_file_family(const pld_lora_file *file);

#endif
