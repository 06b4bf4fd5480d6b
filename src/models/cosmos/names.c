/* SPDX-License-Identifier: Apache-2.0 */
/* The names of Cosmos-Predict2, in which Anima's file is published too. */
#include "models/cosmos/cosmos.h"

static const pld_name_rule attention[] = {
    PLD_RENAME("q_proj.", "to_q."),
    PLD_RENAME("k_proj.", "to_k."),
    PLD_RENAME("v_proj.", "to_v."),
    PLD_RENAME("q_norm.", "norm_q."),
    PLD_RENAME("k_norm.", "norm_k."),
    PLD_RENAME("output_proj.", "to_out.0."),
    {0},
};

static const pld_name_rule block[] = {
    PLD_RENAME("self_attn.", "attn1.", .inside = attention),
    PLD_RENAME("cross_attn.", "attn2.", .inside = attention),
    PLD_RENAME("mlp.layer1.", "ff.net.0.proj."),
    PLD_RENAME("mlp.layer2.", "ff.net.2."),
    PLD_RENAME("adaln_modulation_self_attn.{a}.", "norm1.linear_{a}."),
    PLD_RENAME("adaln_modulation_cross_attn.{a}.", "norm2.linear_{a}."),
    PLD_RENAME("adaln_modulation_mlp.{a}.", "norm3.linear_{a}."),
    {0},
};

const pld_name_rule pld_cosmos_names[] = {
    PLD_RENAME("x_embedder.proj.1.", "patch_embed.proj."),
    PLD_RENAME("t_embedder.1.", "time_embed.t_embedder."),
    PLD_RENAME("t_embedding_norm.", "time_embed.norm."),
    PLD_RENAME("blocks.{a}.", "transformer_blocks.{a}.", .inside = block),
    PLD_RENAME("final_layer.adaln_modulation.{a}.", "norm_out.linear_{a}."),
    PLD_RENAME("final_layer.linear.", "proj_out."),
    {0},
};

const pld_name_rule pld_diffusers_cosmos_names[] = {
    PLD_RENAME("patch_embed.", "patch_embed."),
    PLD_RENAME("time_embed.", "time_embed."),
    PLD_RENAME("transformer_blocks.", "transformer_blocks."),
    PLD_RENAME("norm_out.", "norm_out."),
    PLD_RENAME("proj_out.", "proj_out."),
    {0},
};
