/* SPDX-License-Identifier: Apache-2.0 */
/** The typeface of labels: Inter in two weights, out of the program itself, set by FreeType. text.h lays out
 * lines of it. */
#ifndef PLADIS_CLI_CANVAS_TYPEFACE_H
#define PLADIS_CLI_CANVAS_TYPEFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct typeface typeface;

typedef enum typeface_weight { TYPEFACE_REGULAR, TYPEFACE_STRONG, TYPEFACE_WEIGHTS } typeface_weight;

/** Places of a letter within a pixel: a drawing for each. */
enum { TYPEFACE_PHASES = 4 };

/** A letter as it is drawn. Lengths are pixels, heights grow upwards from the baseline. */
typedef struct typeface_glyph {
    uint8_t *coverage; /**< [height, width], 255 where the letter covers a pixel whole */
    int width, height;
    int left, top; /**< of the coverage: from the pen to its left edge, from the baseline to its upper edge */
    double advance;
    double x_least, x_most, y_least, y_most; /**< extent of the outline */
} typeface_glyph;

/** NULL after an error line: no memory, or the fonts are damaged. Close with typeface_close. */
typeface *typeface_open(void);
void typeface_close(typeface **face);

/** Whether FreeType could not draw a letter, for want of memory. What was composed since is not whole: prints
 * an error line about `what` ("the sheet") then. */
bool typeface_failed(const typeface *face, const char *what);

/** Whether the letter (a code point) has a drawing. The heavier weight borrows what it lacks. */
bool typeface_has(const typeface *face, uint32_t letter);

/** The letter at `size` pixels to the em, its pen at `phase` / TYPEFACE_PHASES of a pixel. The typeface keeps
 * it. NULL where there is none, or after a failure. */
const typeface_glyph *typeface_draw(typeface *face, typeface_weight weight, int size, uint32_t letter,
                                    int phase);

/** Pixels that `right` is moved by when it follows `left`. */
double typeface_kerning(typeface *face, typeface_weight weight, int size, uint32_t left, uint32_t right);

/** Of lines at `size` pixels to the em: above the baseline, below it, from line to line; the height of small
 * letters. */
typedef struct typeface_metrics {
    double ascent, descent, line, x_height, cap_height;
} typeface_metrics;
typeface_metrics typeface_measure(typeface *face, typeface_weight weight, int size);

#endif
