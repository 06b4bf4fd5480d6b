/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures of a run as the library describes them in metadata. */
#ifndef PLADIS_CLI_RUN_DRAWN_H
#define PLADIS_CLI_RUN_DRAWN_H

#include <pladis/metadata.h>

#include "pictures/picture.h"

/** One picture, and what its description points to. */
typedef struct drawn_words {
    pld_drawn_picture about;
    pld_options *options; /* of the picture, with the LoRAs that count */
    const char **loras;
    double *weights;
} drawn_words;

/** What the library is told of a picture, which must outlive it. Free with drawn_words_free in any case. False: memory is out. */
bool drawn_words_make(const picture *drawn, drawn_words *words);
void drawn_words_free(drawn_words *words);

#endif
