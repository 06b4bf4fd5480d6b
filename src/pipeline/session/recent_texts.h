/* SPDX-License-Identifier: Apache-2.0 */
/** The states of the last prompts of a session: sweeps and batches ask for the same few again and again. */
#ifndef PLD_PIPELINE_SESSION_RECENT_TEXTS_H
#define PLD_PIPELINE_SESSION_RECENT_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "text/prompt/style.h"

enum { PLD_RECENT_TEXTS = 4 };

/** One prompt on its way into the U-Net. */
typedef struct pld_prompt_states {
    float *states;  /**< [tokens, context_width]; text encoders side by side */
    float *pooled;  /**< [pooled_width] of the U-Net */
    int64_t tokens; /**< positions times chunks */
    int64_t zeros;  /**< further states of zeros, to which the denoiser attends too */
} pld_prompt_states;

void pld_prompt_states_free(pld_prompt_states *states);

/** How a prompt is encoded. */
typedef struct pld_text_manner {
    bool literal;
    pld_empty_text empty;
    int clip_skip, max_tokens;
    const char *instruction; /**< in front of the prompt; NULL: none */
} pld_text_manner;

typedef struct pld_recent_text {
    char *prompt;      /* NULL: a free place */
    char *instruction; /* that of the manner */
    pld_text_manner manner;
    pld_prompt_states states;
    uint64_t used; /* the higher, the later */
} pld_recent_text;

/** Zero at the start. */
typedef struct pld_recent_texts {
    pld_recent_text items[PLD_RECENT_TEXTS];
    uint64_t clock;
} pld_recent_texts;

/** Widths of what is kept. */
typedef struct pld_text_widths {
    size_t context, pooled;
} pld_text_widths;

/** A copy of the states of a prompt, in *found, if they are kept; *states stays untouched otherwise. */
pld_status pld_recent_texts_find(pld_recent_texts *recent, const char *prompt, pld_text_manner manner,
                                 pld_text_widths widths, pld_prompt_states *states, bool *found,
                                 pld_error *error);

/** Keep a copy in place of the one that was not asked for longest. Without memory for it nothing is kept. */
void pld_recent_texts_keep(pld_recent_texts *recent, const char *prompt, pld_text_manner manner,
                           pld_text_widths widths, const pld_prompt_states *states);

void pld_recent_texts_free(pld_recent_texts *recent);

#endif
