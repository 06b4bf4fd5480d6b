/* SPDX-License-Identifier: Apache-2.0 */
/** @file guidance.h
 *  Guidance methods by name. pld_generate_options.guidance lists texts of this form:
 *
 *      NAME                            "cfg-zero"
 *      NAME:KEY=VALUE,KEY=VALUE        "pag:scale=3,layers=mid+up_blocks.1"
 *
 *  Numbers are decimal, "inf" where a key takes it; layers are block kinds (down, mid, up), "all", or names
 * of sites as pld_model_info lists them, cut at a dot, joined by "+". Methods compose; a pair that makes no
 *  sense, an unknown name and a value out of range are refused with the reason.
 */
#ifndef PLADIS_GUIDANCE_H
#define PLADIS_GUIDANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pld_guidance_key_kind {
    PLD_GUIDANCE_NUMBER,  /**< minimum … maximum */
    PLD_GUIDANCE_INTEGER, /**< a whole number in that range */
    PLD_GUIDANCE_LAYERS   /**< names joined by "+" */
} pld_guidance_key_kind;

/** One option of a method. All pointers are constants of the library. */
typedef struct pld_guidance_key {
    size_t struct_size; /**< set by the caller to sizeof(pld_guidance_key) */
    const char *name;
    pld_guidance_key_kind kind;
    bool takes_infinity;               /**< "inf" too */
    double fallback, minimum, maximum; /**< of numbers; a fallback of NaN is explained by fallback_text */
    const char *fallback_text;         /**< layers, or where the default comes from; else NULL */
    const char *help;
} pld_guidance_key;

/** What a method is. All pointers are constants of the library. */
typedef struct pld_guidance_info {
    size_t struct_size; /**< set by the caller to sizeof(pld_guidance_info) */
    const char *name;
    const char
        *description; /**< formula: u, c, p are the unconditional, conditional, perturbed predictions */
    const char *paper;
    const char *evaluations; /**< of the network in a step, "+1" */
    size_t key_count;        /**< of its options, see pld_guidance_describe_key */
} pld_guidance_info;

/** Method `index` of the registry; false past the end, and without struct_size. */
PLD_API bool pld_guidance_describe(size_t index, pld_guidance_info *info);

/** Option `key` of method `index`; false past the end of either, and without struct_size. */
PLD_API bool pld_guidance_describe_key(size_t index, size_t key, pld_guidance_key *described);

/** Check a text as above by itself; what depends on the model and on other methods is checked when a
 *  generation begins. PLD_ERROR_ARGUMENT names method, key, what was expected and found. */
PLD_API pld_status pld_guidance_check(const char *text, pld_error *error);

#ifdef __cplusplus
}
#endif
#endif
