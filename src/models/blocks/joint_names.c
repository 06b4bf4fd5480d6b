/* SPDX-License-Identifier: Apache-2.0 */
#include "models/blocks/joint_names.h"

const pld_name_rule pld_joint_image_names[] = {
    PLD_RENAME("norm.query_norm.scale", "norm_q.weight"),
    PLD_RENAME("norm.key_norm.scale", "norm_k.weight"),
    PLD_RENAME("qkv.", "to_q.", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("qkv.", "to_k.", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("qkv.", "to_v.", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("proj.", "to_out.0."),
    {0},
};

const pld_name_rule pld_joint_text_names[] = {
    PLD_RENAME("norm.query_norm.scale", "norm_added_q.weight"),
    PLD_RENAME("norm.key_norm.scale", "norm_added_k.weight"),
    PLD_RENAME("qkv.", "add_q_proj.", PLD_ROW_PART(0, 1, 3)),
    PLD_RENAME("qkv.", "add_k_proj.", PLD_ROW_PART(1, 1, 3)),
    PLD_RENAME("qkv.", "add_v_proj.", PLD_ROW_PART(2, 1, 3)),
    PLD_RENAME("proj.", "to_add_out."),
    {0},
};
