/* SPDX-License-Identifier: Apache-2.0 */
/* Safetensors files have transformers' names, GGUF files llama.cpp's. */
#include "models/t5/t5.h"

const pld_name_rule pld_t5_names[] = {
    PLD_RENAME("encoder.", "encoder."),
    PLD_RENAME("shared.", "shared."),
    {0},
};

static const pld_name_rule gguf_block[] = {
    PLD_RENAME("attn_q.", "layer.0.SelfAttention.q."),
    PLD_RENAME("attn_k.", "layer.0.SelfAttention.k."),
    PLD_RENAME("attn_v.", "layer.0.SelfAttention.v."),
    PLD_RENAME("attn_o.", "layer.0.SelfAttention.o."),
    PLD_RENAME("attn_rel_b.", "layer.0.SelfAttention.relative_attention_bias."),
    PLD_RENAME("attn_norm.", "layer.0.layer_norm."),
    PLD_RENAME("ffn_gate.", "layer.1.DenseReluDense.wi_0."),
    PLD_RENAME("ffn_up.", "layer.1.DenseReluDense.wi_1."),
    PLD_RENAME("ffn_down.", "layer.1.DenseReluDense.wo."),
    PLD_RENAME("ffn_norm.", "layer.1.layer_norm."),
    {0},
};

const pld_name_rule pld_t5_gguf_names[] = {
    PLD_RENAME("token_embd.", "shared."),
    PLD_RENAME("enc.blk.{a}.", "encoder.block.{a}.", .inside = gguf_block),
    PLD_RENAME("enc.output_norm.", "encoder.final_layer_norm."),
    {0},
};
