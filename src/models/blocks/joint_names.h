/* SPDX-License-Identifier: Apache-2.0 */
/** Black Forest Labs' names of the attention of a double block, whose matrices fuse queries, keys and values. */
#ifndef PLD_MODELS_BLOCKS_JOINT_NAMES_H
#define PLD_MODELS_BLOCKS_JOINT_NAMES_H

#include "models/layouts/names.h"

/** Behind "img_attn." and behind "txt_attn.", as which diffusers has both behind "attn.". */
extern const pld_name_rule pld_joint_image_names[], pld_joint_text_names[];

#endif
