/* SPDX-License-Identifier: Apache-2.0 */
/** Small letters for labels: 5 dots wide, 8 high, the last row below the line. */
#ifndef PLADIS_CLI_FONT_H
#define PLADIS_CLI_FONT_H

#include <stdint.h>

enum { FONT_WIDTH = 5, FONT_HEIGHT = 8, FONT_ADVANCE = 6, FONT_LINE = 10 };

/** Rows of a printable ASCII character from the top, the leftmost dot in bit 4; a box for anything else. */
const uint8_t *font_glyph(unsigned character);

#endif
