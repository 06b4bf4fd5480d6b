/* SPDX-License-Identifier: Apache-2.0 */
/** @file profile.h
 *  Where the time of a generation goes: spans of stages, network evaluations and single operators.
 *
 *  A profile is filled by the generations whose options name it, one after the other; it must not be shared
 * by generations that run at the same time. Recording costs two readings of the clock an operator; without a
 * profile nothing is measured at all.
 */
#ifndef PLADIS_PROFILE_H
#define PLADIS_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pld_profile pld_profile;

/** What a span covers; each lies inside one of the levels above it. */
typedef enum pld_profile_level {
    PLD_PROFILE_STAGE,   /**< a stage of a generation: "text", "load", "denoise", "decode" */
    PLD_PROFILE_NETWORK, /**< one evaluation of a network, all rows of its batch */
    PLD_PROFILE_PREPARE, /**< making one operator ready: its primitive, its packed weight */
    PLD_PROFILE_OPERATOR /**< one operator of a network evaluation */
} pld_profile_level;

enum { PLD_PROFILE_NAME = 96, PLD_PROFILE_WORD = 32 };

/** One piece of time. */
typedef struct pld_profile_span {
    size_t struct_size; /**< set by the library */
    pld_profile_level level;
    char network[PLD_PROFILE_WORD];        /**< "unet"; "" for a stage */
    char kind[PLD_PROFILE_WORD];           /**< of an operator, "conv", "cross_attention"; else "" */
    char name[PLD_PROFILE_NAME];           /**< the stage, the network, or the layer as in diffusers */
    char shape[PLD_PROFILE_NAME];          /**< of an operator, "[2, 64x64, 320] -> [2, 64x64, 320] 3x3" */
    char implementation[PLD_PROFILE_WORD]; /**< what runs an operator, "jit:avx2"; "" where there is no choice
                                            */
    double begin;                          /**< seconds since the profile was made or cleared */
    double seconds;
    double operations; /**< multiplications and additions of its products; 0 where there are none */
} pld_profile_span;

PLD_API pld_status pld_profile_create(pld_profile **profile, pld_error *error);
PLD_API void pld_profile_destroy(pld_profile **profile);

/** Forget all spans; the clock begins again. */
PLD_API void pld_profile_clear(pld_profile *profile);

PLD_API size_t pld_profile_span_count(const pld_profile *profile);

/** Span `index` in the order in which they ended, NULL past the last. It belongs to the profile and lasts until
 *  that records again. */
PLD_API const pld_profile_span *pld_profile_span_at(const pld_profile *profile, size_t index);

/** Spans that were lost because memory was out. */
PLD_API size_t pld_profile_lost(const pld_profile *profile);

/** How operators are added up. */
typedef enum pld_profile_grouping {
    PLD_PROFILE_BY_KIND,  /**< network and kind of operator */
    PLD_PROFILE_BY_LAYER, /**< network, kind and layer */
    PLD_PROFILE_BY_SHAPE  /**< network, kind and shape */
} pld_profile_grouping;

/** Operators of one group. Strings last as long as the spans do. */
typedef struct pld_profile_row {
    size_t struct_size;                                         /**< set by the library */
    const char *network, *kind, *name, *shape, *implementation; /**< of the group's first span */
    size_t count;               /**< times that an operator of the group ran */
    double seconds, operations; /**< summed */
} pld_profile_row;

/** Rows [count], most seconds first. */
typedef struct pld_profile_summary {
    size_t struct_size; /**< set by the library */
    const pld_profile_row *const *rows;
    size_t count;
} pld_profile_summary;

/** Add up the spans of `level` (operators or their preparation). Free with pld_profile_summary_free. */
PLD_API pld_status pld_profile_summarise(const pld_profile *profile, pld_profile_level level,
                                         pld_profile_grouping grouping, pld_profile_summary **summary,
                                         pld_error *error);
PLD_API void pld_profile_summary_free(pld_profile_summary **summary);

/** Write all spans as JSON in the trace-event format that the trace viewers of browsers open. Whole or not at
 * all; PLD_ERROR_MEMORY where spans were lost. */
PLD_API pld_status pld_profile_write_trace(const pld_profile *profile, const char *path, pld_error *error);
/** The same into memory; free `*bytes` with pld_bytes_free. */
PLD_API pld_status pld_profile_encode_trace(const pld_profile *profile, uint8_t **bytes, size_t *size,
                                            pld_error *error);

#ifdef __cplusplus
}
#endif

#endif
