/* SPDX-License-Identifier: Apache-2.0 */
/** Where and how much two pictures differ. */
#ifndef PLADIS_CLI_PAGES_DIFFERENCE_H
#define PLADIS_CLI_PAGES_DIFFERENCE_H

#include "canvas/canvas.h"

enum { DIFFERENCE_GAIN = 4, DIFFERENCE_VISIBLE = 8 };

typedef struct difference {
    pld_image image; /**< DIFFERENCE_GAIN·|second − first| in each channel, on black */
    double mean;     /**< of |second − first|, in 255ths of the range */
    int largest;     /**< of the same */
    double changed;  /**< part of the pixels with a channel more than 8 apart */
} difference;

/** Free with difference_free. False after an error line. Both pictures have one size. */
bool difference_make(const pld_image *first, const pld_image *second, difference *result);
void difference_free(difference *result);

#endif
