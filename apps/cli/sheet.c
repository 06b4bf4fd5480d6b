/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

#include "font.h"
#include "message.h"

enum { MARGIN = 8, MOST_LINES = 3, MOST_CHARACTERS = 512, LONGEST_SIDE = 65535 };

/** A label as characters, broken into lines. */
typedef struct label_layout {
    unsigned characters[MOST_CHARACTERS];
    size_t begin[MOST_LINES], end[MOST_LINES];
    size_t lines;
} label_layout;

/** The code points of a UTF-8 text, roughly: a lead byte stands for the character, continuation bytes for
 * none. */
static size_t decode(const char *text, unsigned *characters) {
    size_t count = 0;
    for (; *text != '\0' && count < MOST_CHARACTERS; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x80) {
            characters[count++] = byte < 0x20 ? ' ' : byte;
        } else if (byte >= 0xc0) {
            characters[count++] = 0xfffd;
        }
    }
    return count;
}

/** Break at blanks into lines of at most `width` characters; dots replace what does not fit the last one. */
static void lay_out(const char *text, size_t width, label_layout *layout) {
    size_t count = decode(text, layout->characters);
    layout->lines = 0;
    for (size_t at = 0; at < count && layout->lines < MOST_LINES;) {
        size_t end = at + width < count ? at + width : count;
        if (end < count && layout->lines + 1 < MOST_LINES) {
            size_t blank = end;
            while (blank > at && layout->characters[blank] != ' ') {
                blank--;
            }
            end = blank > at ? blank : end;
        } else if (end < count) {
            for (size_t dot = end > at + 3 ? end - 3 : at; dot < end; dot++) {
                layout->characters[dot] = '.';
            }
        }
        layout->begin[layout->lines] = at;
        layout->end[layout->lines++] = end;
        at = end;
        while (at < count && layout->characters[at] == ' ') {
            at++;
        }
    }
}

static void draw_glyph(pld_image *sheet, unsigned character, int left, int top, int scale) {
    const uint8_t *rows = font_glyph(character);
    for (int y = 0; y < FONT_HEIGHT * scale; y++) {
        for (int x = 0; x < FONT_WIDTH * scale; x++) {
            if ((rows[y / scale] >> (FONT_WIDTH - 1 - x / scale)) & 1) {
                uint8_t *pixel =
                    sheet->pixels + 3 * ((size_t)(top + y) * (size_t)sheet->width + (size_t)(left + x));
                memset(pixel, 32, 3);
            }
        }
    }
}

static void draw_label(pld_image *sheet, const label_layout *layout, int left, int top, int scale) {
    for (size_t line = 0; line < layout->lines; line++) {
        for (size_t i = layout->begin[line]; i < layout->end[line]; i++) {
            int x = left + (int)(i - layout->begin[line]) * FONT_ADVANCE * scale;
            draw_glyph(sheet, layout->characters[i], x, top + (int)line * FONT_LINE * scale, scale);
        }
    }
}

static void draw_image(pld_image *sheet, const pld_image *image, int left, int top, int zoom) {
    for (int y = 0; y < image->height * zoom; y++) {
        const uint8_t *from = image->pixels + 3 * (size_t)(y / zoom) * (size_t)image->width;
        uint8_t *to = sheet->pixels + 3 * ((size_t)(top + y) * (size_t)sheet->width + (size_t)left);
        for (int x = 0; x < image->width * zoom; x++) {
            memcpy(to + (size_t)x * 3, from + (size_t)(x / zoom) * 3, 3);
        }
    }
}

/** Largest extents of the pictures. */
static void measure(const sheet_cell *cells, size_t count, int *width, int *height) {
    *width = *height = 0;
    for (size_t i = 0; i < count; i++) {
        *width = cells[i].image->width > *width ? cells[i].image->width : *width;
        *height = cells[i].image->height > *height ? cells[i].image->height : *height;
    }
}

bool sheet_compose(const sheet_cell *cells, size_t count, size_t columns, int zoom, pld_image *sheet) {
    int width = 0, height = 0;
    measure(cells, count, &width, &height);
    width *= zoom;
    height *= zoom;
    int scale = width >= 384 ? 2 : 1;
    size_t line_width = (size_t)(width / (FONT_ADVANCE * scale));
    size_t most_lines = 1;
    label_layout *layouts = calloc(count, sizeof *layouts);
    if (layouts == NULL) {
        message_failure("out of memory for the labels of %zu pictures", count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        lay_out(cells[i].label, line_width > 0 ? line_width : 1, &layouts[i]);
        most_lines = layouts[i].lines > most_lines ? layouts[i].lines : most_lines;
    }
    columns = columns < 1 ? 1 : columns < count ? columns : count;
    size_t rows = (count + columns - 1) / columns;
    size_t cell_width = (size_t)width + MARGIN;
    size_t cell_height = (size_t)height + 2 * MARGIN + most_lines * (size_t)(FONT_LINE * scale);
    size_t full_width = columns * cell_width + MARGIN, full_height = rows * cell_height + MARGIN;
    bool fits = full_width <= LONGEST_SIDE && full_height <= LONGEST_SIDE;
    sheet->pixels = fits ? malloc(3 * full_width * full_height) : NULL;
    if (sheet->pixels == NULL) {
        message_failure("the sheet of %zu x %zu pixels %s", full_width, full_height,
                        fits ? "does not fit into memory" : "is too large; draw fewer pictures");
        free(layouts);
        return false;
    }
    sheet->width = (int)full_width;
    sheet->height = (int)full_height;
    memset(sheet->pixels, 255, 3 * full_width * full_height);
    for (size_t i = 0; i < count; i++) {
        int left = (int)(MARGIN + i % columns * cell_width), top = (int)(MARGIN + i / columns * cell_height);
        draw_image(sheet, cells[i].image, left, top, zoom);
        draw_label(sheet, &layouts[i], left, top + height + MARGIN, scale);
    }
    free(layouts);
    return true;
}

void sheet_free(pld_image *sheet) {
    free(sheet->pixels);
    *sheet = (pld_image){0};
}
