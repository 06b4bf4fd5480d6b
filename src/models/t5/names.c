/* SPDX-License-Identifier: Apache-2.0 */
/* Every file has transformers' names. */
#include "models/t5/t5.h"

const pld_name_rule pld_t5_names[] = {
    PLD_RENAME("encoder.", "encoder."),
    PLD_RENAME("shared.", "shared."),
    {0},
};
