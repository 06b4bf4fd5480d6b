/* SPDX-License-Identifier: Apache-2.0 */
/** @file attention_maps.h
 *  Where in the picture a word of the prompt is attended to: cross-attention heat maps, dense and sparse.
 *
 *  Maps are gathered by the generations whose options name them, one after the other; they must not be shared
 *  by generations that run at the same time. Gathering computes the weights of the chosen layers anew in
 * every call, which ordinary runs never do; the picture stays the same.
 */
#ifndef PLADIS_ATTENTION_MAPS_H
#define PLADIS_ATTENTION_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pld_attention_maps pld_attention_maps;
struct pld_model;

typedef struct pld_attention_maps_options {
    size_t struct_size;
    const char *words;  /**< comma list of words, or pieces of the prompt of several words */
    const char *blocks; /**< cross-attention layers as for pladis_blocks: "all" */
    double start, end;  /**< fractions of the steps: 0, 1 */
} pld_attention_maps_options;

PLD_API void pld_attention_maps_options_init(pld_attention_maps_options *options, size_t struct_size);

PLD_API pld_status pld_attention_maps_create(const pld_attention_maps_options *options,
                                             pld_attention_maps **maps, pld_error *error);
PLD_API void pld_attention_maps_destroy(pld_attention_maps **maps);

/** Check before anything is drawn that the words are in this prompt and the layers in the model: what
 * pld_generate would fail with. Forgets the last generation. */
PLD_API pld_status pld_attention_maps_check(pld_attention_maps *maps, const struct pld_model *model,
                                            const char *prompt, bool literal, pld_error *error);

/** Word `index` of those that were asked for, without the blanks around it; NULL past the last. Lives as
 * long as the object. */
PLD_API const char *pld_attention_maps_word(const pld_attention_maps *maps, size_t index);

/** One word's maps of the last generation; all pointers belong to the object and live until the next one.
 *
 *  Each is [height, width] in latents: the share of a place's attention that goes to the word's tokens
 * (summed where it has several or occurs more than once), averaged over heads, calls of the network in the
 * chosen steps (conditional branch) and layers; layers with a coarser grid are enlarged bilinearly. `dense`
 * is softmax, `sparse` α-entmax with the run's α, both of the logits of the run as it went. PLADIS weighs
 * with dense + λ·(sparse − dense). */
typedef struct pld_attention_map {
    size_t struct_size; /**< set by the caller to sizeof(pld_attention_map) */
    const char *word;
    int tokens; /**< positions of the text that count */
    int width, height;
    const float *dense, *sparse;
} pld_attention_map;

/** False past the last word, before a generation has ended, and for a map without struct_size. */
PLD_API bool pld_attention_maps_get(const pld_attention_maps *maps, size_t index, pld_attention_map *map);

#ifdef __cplusplus
}
#endif
#endif
