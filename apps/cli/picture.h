/* SPDX-License-Identifier: Apache-2.0 */
/** One picture of a run: what is drawn, and what came of it. */
#ifndef PLADIS_CLI_PICTURE_H
#define PLADIS_CLI_PICTURE_H

#include <pladis/pladis.h>

typedef struct picture {
    const char *prompt;
    int64_t seed;
    double pladis_scale; /**< λ of this picture; 0 in the left half of a comparison */
    pld_image image;
    pld_report report;
    bool drawn;
} picture;

/** All pictures of a run. */
typedef struct picture_list {
    picture *items;
    size_t count;
    char *prompt_text; /**< where the prompts of a file live */
} picture_list;

#endif
