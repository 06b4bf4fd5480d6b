/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures in a terminal: kitty's graphics, sixels, or two pixels in each character cell. */
#ifndef PLADIS_CLI_TERMINAL_PICTURE_H
#define PLADIS_CLI_TERMINAL_PICTURE_H

#include <stdio.h>

#include <pladis/pladis.h>

typedef enum terminal_graphics {
    TERMINAL_NONE,
    TERMINAL_KITTY,
    TERMINAL_SIXEL,
    TERMINAL_BLOCKS_256,  /**< half blocks in the 256 colours of xterm */
    TERMINAL_BLOCKS_FULL, /**< half blocks in 24-bit colour */
} terminal_graphics;

/** What the terminal says of itself in the environment; TERMINAL_NONE where nothing is certain. Whether there
 * is a terminal at all is another question. */
terminal_graphics terminal_graphics_detect(void);

/** The kind that the word "kitty", "sixel", "blocks" or "auto" asks for. False for another word. */
bool terminal_graphics_named(const char *name, terminal_graphics *graphics);

/** Room on the screen: character cells, and the height of one in pixels (a guess where it does not say). */
typedef struct terminal_room {
    int columns, rows, cell_height;
} terminal_room;

/** Lines that the picture takes when it is drawn into so much room. */
int terminal_picture_rows(terminal_graphics graphics, const pld_image *image, const terminal_room *room);

/** Draw at the cursor, at the left edge; afterwards the cursor stands on the line below the last of
 * terminal_picture_rows. */
void terminal_picture_draw(FILE *file, terminal_graphics graphics, const pld_image *image,
                           const terminal_room *room);

#endif
