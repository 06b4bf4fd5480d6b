/* SPDX-License-Identifier: Apache-2.0 */
/** One module of a LoRA file: which factors it has, whether they are a whole change, and how it is scaled. */
#ifndef PLD_LORAS_MODULE_H
#define PLD_LORAS_MODULE_H

#include <stdint.h>

#include "io/tensors/tensor_file.h"
#include "loras/names.h"

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
    const char *dotted; /**< where in `name` the path begins, with its dots; NULL when the name has none */
    char *path;         /**< with underscores, below its part; see pld_lora_name */
    pld_lora_part part;
    pld_lora_kind kind;
    const pld_stored_tensor *factors[PLD_LORA_FACTOR_COUNT]; /**< NULL: absent */
    int64_t rank;                                            /**< 0 where there is none */
    double scale;                                            /**< alpha / rank; 1 without alpha or rank */
    bool unscaled;                                           /**< there is a rank, and no alpha is known */
} pld_lora_module;

/** Find the kind of a module whose factors are set: the factors must be a complete set of one kind, a
 * magnitude must stand beside a change, and the factor that has the rank must be a matrix. Sets `kind` and
 * `rank`. */
pld_status pld_lora_module_complete(const pld_tensor_file *file, pld_lora_module *module, pld_error *error);

struct pld_lora_adapter;

/** Set the scale of a complete module, from its alpha, or else from what `adapter` states. */
pld_status pld_lora_module_settle_scale(const pld_tensor_file *file, struct pld_lora_adapter *adapter,
                                        pld_lora_module *module, pld_error *error);

/** Whether the module is a DoRA: norms are set after the change. */
bool pld_lora_module_has_magnitude(const pld_lora_module *module);

#endif
