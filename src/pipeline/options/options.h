/* SPDX-License-Identifier: Apache-2.0 */
/** Values of all options, and their ways into structs. */
#ifndef PLD_PIPELINE_OPTIONS_OPTIONS_H
#define PLD_PIPELINE_OPTIONS_OPTIONS_H

#include "pipeline/options/row.h"

struct pld_options {
    pld_option_value *values; /**< [pld_option_count()]; what is set owns its text and lists */
    bool *implied;            /**< set by another option's value, and given way to any of its own */
};

/** Put a copy of a value in the place of row `index`'s, unchecked; takes over its numbers. */
pld_status pld_options_put(pld_options *options, size_t index, const pld_option_value *value,
                           pld_error *error);

/** Write the defaults of all options that are fields of a struct of this kind into `target`, of `size` bytes:
 * fields that lie behind its end are left out. */
void pld_options_defaults(pld_option_struct of, void *target, size_t size);

#endif
