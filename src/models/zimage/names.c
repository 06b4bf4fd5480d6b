/* SPDX-License-Identifier: Apache-2.0 */
/* The authors' names fuse queries, keys and values into one matrix. */
#include "models/zimage/files.h"

static const pld_name_rule block[] = {
    PLD_RENAME("attention.qkv.", "attention.to_q.", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("attention.qkv.", "attention.to_k.", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("attention.qkv.", "attention.to_v.", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("attention.q_norm.", "attention.norm_q."),
    PLD_RENAME("attention.k_norm.", "attention.norm_k."),
    PLD_RENAME("attention.out.", "attention.to_out.0."),
    PLD_RENAME("attention_norm1.", "attention_norm1."),
    PLD_RENAME("attention_norm2.", "attention_norm2."),
    PLD_RENAME("feed_forward.", "feed_forward."),
    PLD_RENAME("ffn_norm1.", "ffn_norm1."),
    PLD_RENAME("ffn_norm2.", "ffn_norm2."),
    PLD_RENAME("adaLN_modulation.", "adaLN_modulation."),
    {0},
};

static const pld_name_rule original[] = {
    PLD_RENAME("x_embedder.", "all_x_embedder.2-1."),
    PLD_RENAME("final_layer.", "all_final_layer.2-1."),
    PLD_RENAME("t_embedder.", "t_embedder."),
    PLD_RENAME("cap_embedder.", "cap_embedder."),
    PLD_RENAME("x_pad_token", "x_pad_token"),
    PLD_RENAME("cap_pad_token", "cap_pad_token"),
    PLD_RENAME("noise_refiner.{a}.", "noise_refiner.{a}.", .inside = block),
    PLD_RENAME("context_refiner.{a}.", "context_refiner.{a}.", .inside = block),
    PLD_RENAME("layers.{a}.", "layers.{a}.", .inside = block),
    {0},
};

static const pld_name_rule diffusers[] = {
    PLD_RENAME("all_x_embedder.", "all_x_embedder."),
    PLD_RENAME("all_final_layer.", "all_final_layer."),
    PLD_RENAME("t_embedder.", "t_embedder."),
    PLD_RENAME("cap_embedder.", "cap_embedder."),
    PLD_RENAME("x_pad_token", "x_pad_token"),
    PLD_RENAME("cap_pad_token", "cap_pad_token"),
    PLD_RENAME("noise_refiner.", "noise_refiner."),
    PLD_RENAME("context_refiner.", "context_refiner."),
    PLD_RENAME("layers.", "layers."),
    {0},
};

/* A mark that Lumina-Image 2.0 lacks, whose blocks are called the same. */
#define ORIGINAL(prefix_)                                                                                    \
    {                                                                                                        \
        .part = "transformer", .naming = "Z-Image", .prefix = (prefix_), .names = original,                  \
        .mark = "layers.0.attention.qkv.weight"                                                              \
    }
#define DIFFUSERS(prefix_)                                                                                   \
    {                                                                                                        \
        .part = "transformer", .naming = "diffusers", .prefix = (prefix_), .names = diffusers,               \
        .mark = "all_x_embedder.2-1.weight"                                                                  \
    }

const pld_part_layout pld_zimage_layouts[] = {
    ORIGINAL("model.diffusion_model."),
    ORIGINAL("diffusion_model."),
    ORIGINAL(""),
    DIFFUSERS("transformer."),
    DIFFUSERS("model.diffusion_model."),
    DIFFUSERS(""),
    {0},
};

const pld_stranger pld_zimage_strangers[] = {
    {"control_layers.", "a ControlNet of Z-Image, which is not supported"},
    {"siglip_embedder.", "Z-Image Omni, which also takes pictures and is not supported"},
    {0},
};

const char *const pld_zimage_unused[] = {"norm_final.weight", NULL};
