/* SPDX-License-Identifier: Apache-2.0 */
/** Rows of pld_family_part that several families have: a text encoder with its tokenizer, a denoiser, an autoencoder. */
#ifndef PLD_MODELS_FAMILIES_PART_ROWS_H
#define PLD_MODELS_FAMILIES_PART_ROWS_H

#include "models/families/rows.h"

#define PLD_GIVE_TEXT_ENCODER "one with --text-encoder FILE"
#define PLD_GIVE_AUTOENCODER  "one with --vae FILE"
#define PLD_GIVE_CHECKPOINT   "a whole checkpoint or folder of its family with -m, and this file with --unet"
/** TITLE: what a file of the whole model is called. */
#define PLD_GIVE_FILE_OF(title_) "a file of " title_ " with -m, and this file with --vae or --text-encoder"

/** A CLIP text encoder, with or without the projection of its pooled state (CLASS); PAD fills its tokens up. */
#define PLD_PART_CLIP(name_, class_, tokenizer_, pad_, what_, remedy_)                                       \
    {                                                                                                        \
        .name = (name_), .class = &(class_), .stem = "model", .tokenizer = (tokenizer_),                     \
        .tokenizer_class = "CLIPTokenizer", .vocabulary = &pld_installed_clip, .pad_token = (pad_),          \
        .what = (what_), .remedy = (remedy_)                                                                 \
    }

/** T5's encoder. OPTIONAL: the family works without it. */
#define PLD_PART_T5(name_, tokenizer_, optional_, what_, remedy_)                                            \
    {                                                                                                        \
        .name = (name_), .class = &pld_class_t5, .stem = "model", .tokenizer = (tokenizer_),                 \
        .tokenizer_class = "T5Tokenizer", .vocabulary = &pld_installed_t5, .optional = (optional_),          \
        .what = (what_), .remedy = (remedy_)                                                                 \
    }

/** Qwen3 as the only text encoder. */
#define PLD_PART_QWEN3(what_)                                                                                \
    {                                                                                                        \
        .name = "text_encoder", .class = &pld_class_qwen3, .stem = "model", .tokenizer = "tokenizer",        \
        .tokenizer_class = "Qwen2Tokenizer", .vocabulary = &pld_installed_qwen3,                             \
        .pad_token = "<|endoftext|>", .what = (what_), .remedy = PLD_GIVE_TEXT_ENCODER                       \
    }

#define PLD_PART_TRANSFORMER(class_, remedy_)                                                                \
    {                                                                                                        \
        .name = "transformer", .class = &(class_), .stem = "diffusion_pytorch_model",                        \
        .what = "denoising network (transformer)", .remedy = (remedy_)                                       \
    }

#define PLD_PART_UNET                                                                                        \
    {                                                                                                        \
        .name = "unet", .class = &pld_class_unet, .stem = "diffusion_pytorch_model",                         \
        .what = "denoising network (U-Net)",                                                                 \
        .remedy = "a checkpoint with -m, and this file with --vae or --text-encoder if it is one"            \
    }

#define PLD_PART_AUTOENCODER(class_, what_)                                                                  \
    {                                                                                                        \
        .name = "vae", .class = &(class_), .stem = "diffusion_pytorch_model", .what = (what_),               \
        .remedy = PLD_GIVE_AUTOENCODER                                                                       \
    }
#define PLD_PART_KL(class_) PLD_PART_AUTOENCODER(class_, "autoencoder (VAE)")

#endif
