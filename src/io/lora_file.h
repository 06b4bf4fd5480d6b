/* SPDX-License-Identifier: Apache-2.0 */
/** A LoRA file: changes of a model's weights, module by module. Opened and checked here as far as that is
 * possible without the model: names, that no half is missing, types, alpha.
 */
#ifndef PLD_IO_LORA_FILE_H
#define PLD_IO_LORA_FILE_H

#include "io/lora_names.h"
#include "io/safetensors.h"

/** How the factors make the change. */
typedef enum pld_lora_kind {
    PLD_KIND_LORA,       /**< up · down (Hu et al. 2021, arXiv 2106.09685) */
    PLD_KIND_LOHA,       /**< Hadamard product of two (Hyeon-Woo et al. 2021, arXiv 2108.06098) */
    PLD_KIND_LOKR,       /**< Kronecker product (Edalati et al. 2022, arXiv 2212.10650) */
    PLD_KIND_DIFFERENCE, /**< the change itself */
    PLD_KIND_COUNT
} pld_lora_kind;

/** The changes of one module. */
typedef struct pld_lora_module {
    const char *name; /**< [name_length] as the file writes it, for messages; not terminated */
    int name_length;
    char *path; /**< with underscores, below its part; see pld_lora_name */
    pld_lora_part part;
    pld_lora_kind kind;
    const pld_stored_tensor *factors[PLD_LORA_FACTOR_COUNT]; /**< NULL: absent */
    int64_t rank;                                            /**< 0 where there is none */
    double scale;                                            /**< alpha / rank; 1 without alpha or rank */
} pld_lora_module;

/** An opened file: immutable, shareable between threads. */
typedef struct pld_lora_file pld_lora_file;

/** Open and check. PLD_ERROR_FORMAT for a damaged file, PLD_ERROR_UNSUPPORTED for one that is no LoRA or of a
 *  kind that cannot be applied; both name file and module. */
pld_status pld_lora_file_open(const char *path, pld_lora_file **file, pld_error *error);

/** Close; `*file` becomes NULL. NULL is accepted. */
void pld_lora_file_close(pld_lora_file **file);

const pld_safetensors *pld_lora_file_tensors(const pld_lora_file *file);

/** Modules by part and path; `index` < count. */
size_t pld_lora_file_count(const pld_lora_file *file);
const pld_lora_module *pld_lora_file_at(const pld_lora_file *file, size_t index);

/** Tensors whose names mean nothing here: `index` < count. */
size_t pld_lora_file_unknown_count(const pld_lora_file *file);
const char *pld_lora_file_unknown_at(const pld_lora_file *file, size_t index);

const char *pld_lora_file_style(const pld_lora_file *file); /**< "kohya", "diffusers", "PEFT", "LyCORIS" */
const char *pld_lora_file_kind(const pld_lora_file *file); /**< of most modules: "LoRA", "LoHa", "LoKr", … */

/** What the file seems to be for, from part names, the width of the text states that cross-attention
 *  takes, and metadata: "Stable Diffusion 1.x", or NULL. */
const char *pld_lora_file_family(const pld_lora_file *file);

#endif
