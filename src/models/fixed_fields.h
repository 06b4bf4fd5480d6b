/* SPDX-License-Identifier: Apache-2.0 */
/** Fields of configurations that must hold a value that an implementation has. */
#ifndef PLD_MODELS_FIXED_FIELDS_H
#define PLD_MODELS_FIXED_FIELDS_H

#include "io/json/read.h"

typedef struct pld_fixed_field {
    const char *field;
    const char *expected; /**< JSON */
    bool or_null;         /**< null means the same to diffusers; else diffusers fails on it */
} pld_fixed_field;

/** PLD_ERROR_UNSUPPORTED, which names file and field, unless each of them is absent or as expected. */
pld_status pld_check_fixed_fields(const pld_json *top, const pld_fixed_field *fields, size_t count,
                                  pld_error *error);

/** PLD_ERROR_UNSUPPORTED unless a denoiser gives as many channels as it takes. IS: what a network that takes more is, "a
 * network that takes more than the latents". */
pld_status pld_check_channels(const pld_json *top, int64_t in_channels, int64_t out_channels, const char *is,
                              pld_error *error);

#endif
