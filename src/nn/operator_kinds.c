/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of operators: which values they read and write. Layout, profiles, backends and checks read this table, so none
 * of them has a switch over kinds. */
#include <string.h>

#include "nn/operator_rules.h"

#define SLOT(member, access)                                                                                 \
    { #member, offsetof(pld_operator, member), access }
#define IN  SLOT(in, PLD_READS)
#define OUT SLOT(out, PLD_WRITES)
/* What an operator adds to: it reads it, too. */
#define INTO SLOT(out, PLD_CHANGES)

#define PRODUCT_SLOTS                                                                                        \
    {                                                                                                        \
        IN, OUT, SLOT(product.factors, PLD_READS), SLOT(product.vector, PLD_READS),                          \
            SLOT(product.residual, PLD_READS), SLOT(product.gate.value, PLD_READS)                           \
    }
#define NORM_SLOTS                                                                                           \
    {                                                                                                        \
        IN, OUT, SLOT(norm.scale.value, PLD_READS), SLOT(norm.shift.value, PLD_READS),                       \
            SLOT(norm.residual, PLD_READS), SLOT(norm.gate.value, PLD_READS)                                 \
    }

const pld_operator_kind_facts pld_operator_kinds[PLD_OPERATOR_KINDS] = {
    [PLD_OPERATOR_LINEAR] = {"linear", PRODUCT_SLOTS, pld_product_misfit},
    [PLD_OPERATOR_CONV] = {"conv", PRODUCT_SLOTS, pld_product_misfit},
    [PLD_OPERATOR_GROUP_NORM] = {"group_norm", NORM_SLOTS, pld_group_norm_misfit},
    [PLD_OPERATOR_GROUP_NORM_FACTORS] = {"group_norm", NORM_SLOTS, pld_group_norm_misfit},
    [PLD_OPERATOR_LAYER_NORM] = {"layer_norm", NORM_SLOTS, pld_token_norm_misfit},
    [PLD_OPERATOR_RMS_NORM] = {"rms_norm", NORM_SLOTS, pld_token_norm_misfit},
    [PLD_OPERATOR_ROTATION] = {"rotation", {IN, OUT}, pld_rotation_misfit},
    [PLD_OPERATOR_ACTIVATION] = {"activation", {IN, OUT}, pld_same_misfit},
    [PLD_OPERATOR_GATE] = {"gate", {IN, OUT, SLOT(gate.second, PLD_READS)}, pld_gate_misfit},
    [PLD_OPERATOR_GATED_ADD] = {"gated_add", {IN, INTO, SLOT(gated.value, PLD_READS)}, pld_gated_add_misfit},
    [PLD_OPERATOR_ATTENTION] = {"attention",
                                {IN, OUT, SLOT(attention.as.key, PLD_READS),
                                 SLOT(attention.as.value, PLD_READS),
                                 SLOT(attention.as.relative_bias, PLD_READS),
                                 SLOT(attention.as.mask, PLD_READS)},
                                pld_attention_misfit},
    [PLD_OPERATOR_LINEAR_ATTENTION] = {"linear_attention",
                                       {IN, OUT, SLOT(attention.as.key, PLD_READS),
                                        SLOT(attention.as.value, PLD_READS)},
                                       pld_attention_misfit},
    [PLD_OPERATOR_DEPTHWISE] = {"depthwise", {IN, OUT}, pld_depthwise_misfit},
    [PLD_OPERATOR_CONCAT] = {"concat", {IN, OUT, SLOT(second, PLD_READS)}, pld_concat_misfit},
    [PLD_OPERATOR_CONCAT_TOKENS] = {"concat", {IN, OUT, SLOT(second, PLD_READS)}, pld_concat_tokens_misfit},
    [PLD_OPERATOR_PAD_TOKENS] = {"concat", {IN, OUT}, pld_pad_tokens_misfit},
    [PLD_OPERATOR_UPSAMPLE] = {"upsample", {IN, OUT}, pld_upsample_misfit},
    [PLD_OPERATOR_COPY] = {"copy", {IN, OUT}, pld_same_misfit},
    [PLD_OPERATOR_COPY_ROWS] = {"copy_rows", {IN, OUT}, pld_copy_rows_misfit},
    [PLD_OPERATOR_JOIN_ROWS] = {"copy_rows", {IN, OUT, SLOT(second, PLD_READS)}, pld_join_rows_misfit},
    [PLD_OPERATOR_TAKE] = {"take", {IN, OUT}, pld_take_misfit},
    [PLD_OPERATOR_TAKE_CHANNELS] = {"take", {IN, OUT}, pld_take_channels_misfit},
    [PLD_OPERATOR_PATCHIFY] = {"patchify", {IN, OUT}, pld_patches_misfit},
    [PLD_OPERATOR_UNPATCHIFY] = {"unpatchify", {IN, OUT}, pld_patches_misfit},
    [PLD_OPERATOR_PIXEL_SHUFFLE] = {"pixel_shuffle",
                                    {IN, OUT, SLOT(residual, PLD_READS)},
                                    pld_shuffle_misfit},
    [PLD_OPERATOR_PIXEL_UNSHUFFLE] = {"pixel_unshuffle",
                                      {IN, OUT, SLOT(residual, PLD_READS)},
                                      pld_shuffle_misfit},
    [PLD_OPERATOR_EMBED] = {"embed", {OUT}, NULL},
    [PLD_OPERATOR_TIMESTEP] = {"timestep", {OUT}, NULL},
    [PLD_OPERATOR_ADD_TABLE] = {"add_table", {IN, OUT}, pld_add_table_misfit},
    [PLD_OPERATOR_ADD_CONSTANT] = {"add_constant", {IN, OUT}, pld_add_constant_misfit},
    [PLD_OPERATOR_ADD_MIDDLE] = {"add_table", {IN, OUT}, pld_add_middle_misfit},
    [PLD_OPERATOR_ADD_OUTSIDE] = {"add_outside", {IN, OUT}, pld_add_outside_misfit},
    [PLD_OPERATOR_TAKE_OUTSIDE] = {"take_outside", {OUT}, NULL},
    [PLD_OPERATOR_RELATIVE_BIAS] = {"relative_bias", {OUT}, pld_relative_bias_misfit},
    [PLD_OPERATOR_POOL] = {"pool", {IN, OUT}, pld_pool_misfit},
    [PLD_OPERATOR_FREEU] = {"freeu",
                            {SLOT(in, PLD_CHANGES), OUT, SLOT(freeu.skip, PLD_CHANGES)},
                            pld_freeu_misfit},
    [PLD_OPERATOR_TAP] = {"tap", {IN}, NULL},
};

pld_operator pld_operator_of(pld_operator_kind kind) {
    const pld_operator_kind_facts *facts = &pld_operator_kinds[kind];
    pld_operator op;
    memset(&op, 0, sizeof op); /* whichever member of the union it has */
    op.kind = kind;
    op.label = facts->name;
    op.in = op.out = PLD_NO_VALUE;
    for (const pld_value_slot *slot = facts->slots; slot < facts->slots + PLD_MOST_SLOTS; slot++) {
        if (slot->name) {
            *(pld_value_id *)(void *)((char *)&op + slot->offset) = PLD_NO_VALUE;
        }
    }
    return op;
}

unsigned pld_operator_access(const pld_operator *op, pld_value_id id) {
    const pld_operator_kind_facts *facts = &pld_operator_kinds[op->kind];
    unsigned access = 0;
    for (const pld_value_slot *slot = facts->slots; slot < facts->slots + PLD_MOST_SLOTS; slot++) {
        access |= slot->name && pld_slot_value(op, slot) == id ? (unsigned)slot->access : 0;
    }
    return access;
}
