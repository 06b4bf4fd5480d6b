/* SPDX-License-Identifier: Apache-2.0 */
/** What the names of tensors in a LoRA file mean. Every trainer writes its own style; all of them say which
 * part of the model, which module of it, and which factor of the change the tensor is. Two tables hold the
 * styles: prefixes name the part, suffixes the factor. The module itself is not interpreted: dots become
 * underscores, and it is looked up among the modules that the networks really have.
 */
#ifndef PLD_LORAS_NAMES_H
#define PLD_LORAS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/** The part of a model that a module belongs to. */
typedef enum pld_lora_part {
    PLD_LORA_UNET,
    PLD_LORA_TEXT_ENCODER,
    PLD_LORA_TEXT_ENCODER_2,
    PLD_LORA_TEXT_ENCODER_3,   /**< T5 of Stable Diffusion 3, and of FLUX, where it is the second */
    PLD_LORA_TEXT_CONDITIONER, /**< of Anima */
    PLD_LORA_TRANSFORMER,      /**< of FLUX, SD3, PixArt and their like */
    PLD_LORA_UNKNOWN,
    PLD_LORA_PART_COUNT
} pld_lora_part;

/** The factors from which a change of a weight W is made; formulas stand in nn/weight_change.c. */
typedef enum pld_lora_factor {
    PLD_LORA_DOWN,   /**< A [rank, in, …] */
    PLD_LORA_UP,     /**< B [out, rank] */
    PLD_LORA_MIDDLE, /**< core of a Tucker decomposition [rank, rank, kernel, kernel] */
    PLD_LOHA_W1_A,
    PLD_LOHA_W1_B,
    PLD_LOHA_W2_A,
    PLD_LOHA_W2_B,
    PLD_LOHA_T1,
    PLD_LOHA_T2,
    PLD_LOKR_W1,
    PLD_LOKR_W1_A,
    PLD_LOKR_W1_B,
    PLD_LOKR_W2,
    PLD_LOKR_W2_A,
    PLD_LOKR_W2_B,
    PLD_LOKR_T2,
    PLD_LORA_DIFFERENCE,      /**< the whole change */
    PLD_LORA_BIAS_DIFFERENCE, /**< the whole change of the module's bias */
    PLD_LORA_ALPHA,           /**< a number: the change is scaled by alpha / rank */
    PLD_LORA_MAGNITUDE,       /**< DoRA's norms; [out, 1, …] of the outputs or [1, in, …] of the inputs */
    PLD_LORA_OUTPUT_MAGNITUDE, /**< DoRA's norms of the outputs, whatever axis they lie along */
    PLD_LORA_FACTOR_COUNT
} pld_lora_factor;

enum { PLD_LORA_PATH = 160 };

/** A tensor's name, taken apart. */
typedef struct pld_lora_name {
    pld_lora_part part;
    pld_lora_factor factor;
    char path[PLD_LORA_PATH]; /**< the module below its part, with underscores:
                                 "mid_block_attentions_0_proj_in" */
    size_t module_length;     /**< of the module in the name itself: prefix and path without the suffix */
    size_t path_start;        /**< where in the name the path begins */
    bool flattened;           /**< the name does not have the path with its dots */
    const char *style;        /**< "kohya", "diffusers", "PEFT", "LyCORIS", "ai-toolkit" */
    const char *refused;      /**< not NULL: what kind of change this is, which is not supported */
} pld_lora_name;

/** False when the name is no LoRA's: an unknown suffix, or a path that is empty or too long. */
bool pld_lora_name_parse(const char *name, pld_lora_name *parsed);

/** The same of a module's name [length], which has no suffix: part, path and their places alone. */
bool pld_lora_module_parse(const char *name, size_t length, pld_lora_name *parsed);

/** "unet", "text_encoder", "text_encoder_2", "text_encoder_3", "text_conditioner", "transformer", "unknown part" */
const char *pld_lora_part_name(pld_lora_part part);

/** The usual suffix of a factor, "lora_up", for messages. */
const char *pld_lora_factor_name(pld_lora_factor factor);

#endif
