/* SPDX-License-Identifier: Apache-2.0 */
/** The settings in force of some pictures in words: what they share, and what tells them apart. */
#ifndef PLADIS_CLI_PICTURES_FACETS_H
#define PLADIS_CLI_PICTURES_FACETS_H

#include "pictures/picture.h"

enum { FACETS_TEXT = 1024 };

/** What a person wants to know of every picture: seed, size, sampler, steps, guidance, λ … */
typedef enum facet {
    FACET_SEED,
    FACET_SIZE,
    FACET_PRESET,
    FACET_SAMPLER,
    FACET_SCHEDULER,
    FACET_SPACING,
    FACET_STEPS,
    FACET_STRENGTH,
    FACET_GUIDANCE,
    FACET_SCALE,
    FACET_ALPHA,
    FACET_BLOCKS,
    FACET_INTERVAL,
    FACET_COUNT
} facet;

/** Add to a text as snprintf prints; what does not fit is left out. */
void facets_append(char text[FACETS_TEXT], const char *format, ...) PLD_PRINTF(2, 3);

/** Whether all are of one prompt. */
bool facets_one_prompt(const picture *pictures, size_t count);

/** Whether the pictures that have the facet agree in it, or none has it. */
bool facets_agree(facet which, const picture *pictures, size_t count);

/** The value that all which have the facet share. False where they differ or none has it. */
bool facets_value(facet which, const picture *pictures, size_t count, char text[FACETS_TEXT]);

/** "seed 42, 128 × 128, ddim, 10 steps, cfg (scale 2), λ = 0.5, α = 1.5": what all share, without what is
 * plain. The pictures' reports are filled in, by
 * run_check at the latest. */
void facets_common(const picture *pictures, size_t count, char text[FACETS_TEXT]);

/** What is told before anything is drawn: what all share, as facets_common has it, and the names of what
 * varies. */
void facets_ahead(const picture_list *pictures, char text[FACETS_TEXT]);

/** "λ 0 / 1 / 2; seed 42 / 43": what differs, first what the run was asked to vary, with the values in the
 * order in which they come; "" where nothing does. */
void facets_varying(const picture_list *pictures, char text[FACETS_TEXT]);

#endif
