/* SPDX-License-Identifier: Apache-2.0 */
/** Heat maps of cross-attention while a generation runs; the public part is pladis/attention_maps.h. */
#ifndef PLD_PIPELINE_GENERATE_ATTENTION_MAPS_H
#define PLD_PIPELINE_GENERATE_ATTENTION_MAPS_H

#include "pipeline/generate/generation.h"

/** What one layer gathers. */
typedef struct pld_map_site {
    bool chosen;
    int64_t height, width; /* grid of its queries; 0 until its first call */
    double *sums[2];       /* dense and sparse, [words, height, width] */
} pld_map_site;

struct pld_attention_maps {
    char *text; /* the words, zero bytes between */
    const char **words;
    size_t word_count;
    char *blocks;
    double start, end;
    /* of the last generation */
    int width, height;
    float *values[2]; /* dense and sparse, [words, height, width]; NULL until it has ended */
    int *tokens;      /* [words] */
    /* while it runs */
    bool *counts; /* [words, keys]: this position of the text belongs to the word */
    int64_t keys;
    pld_map_site *sites;
    size_t site_count, calls;
    float alpha;
    const pld_kernels *kernels;
    int threads;
    bool out_of_memory;
};

/** Forget the last generation, find the words in the prompt and the layers in the model. Nothing without maps
 * in the options, here as below. */
pld_status pld_attention_maps_begin(pld_generation *g);

/** Let `run`, call of the network in `step`, be watched if the step is chosen. */
void pld_attention_maps_watch(pld_generation *g, size_t step, pld_run *run);

/** The observer. */
void pld_attention_maps_observe(void *user, const pld_attention_view *view);

/** Make the maps of what was gathered, and dump them. */
pld_status pld_attention_maps_finish(pld_generation *g);

#endif
