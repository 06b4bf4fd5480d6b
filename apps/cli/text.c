/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

#include <utf8proc.h>

/** Add one code point of a decomposed text: a letter, a mark of the letter before it, or nothing. */
static void add_character(text_block *block, uint32_t character) {
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)character);
    bool mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
    if (character == '\t' || character == '\n' || category == UTF8PROC_CATEGORY_ZS) {
        character = ' ';
    } else if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF) {
        return; /* joiners, variation selectors of pictures, directions */
    }
    if (mark) {
        text_letter *last = block->count > 0 ? &block->letters[block->count - 1] : NULL;
        if (last != NULL && last->mark_count < TEXT_MOST_MARKS) {
            last->marks[last->mark_count++] = character;
        }
    } else if (block->count < TEXT_MOST_LETTERS) {
        block->letters[block->count++] = (text_letter){.character = character};
    }
}

/** Letters of a text, taken apart into base and marks. A byte that is no UTF-8 becomes U+FFFD. */
static void decode(const char *text, text_block *block) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text;
    block->count = 0;
    while (*at != 0) {
        utf8proc_int32_t character = 0xfffd;
        utf8proc_ssize_t length = utf8proc_iterate(at, -1, &character);
        at += length > 0 ? length : 1;
        utf8proc_int32_t parts[8];
        int boundary = 0;
        utf8proc_ssize_t count =
            length > 0 ? utf8proc_decompose_char(character, parts, 8, UTF8PROC_DECOMPOSE, &boundary) : 0;
        if (count < 1 || count > 8 || font_has((uint32_t)character)) {
            add_character(block, length > 0 ? (uint32_t)character : 0xfffd);
            continue;
        }
        for (utf8proc_ssize_t i = 0; i < count; i++) {
            add_character(block, (uint32_t)parts[i]);
        }
    }
}

static size_t letters_in(int width, int scale) {
    int count = (width + (FONT_ADVANCE - FONT_WIDTH) * scale) / (FONT_ADVANCE * scale);
    return count > 1 ? (size_t)count : 1;
}

void text_wrap(const char *utf8, int width, int scale, size_t most_lines, text_block *block) {
    size_t room = letters_in(width, scale);
    most_lines = most_lines < TEXT_MOST_LINES ? most_lines : TEXT_MOST_LINES;
    decode(utf8, block);
    block->lines = 0;
    for (size_t at = 0; at < block->count && block->lines < most_lines;) {
        size_t end = at + room < block->count ? at + room : block->count;
        if (end < block->count && block->lines + 1 < most_lines) {
            size_t blank = end;
            while (blank > at && block->letters[blank].character != ' ') {
                blank--;
            }
            end = blank > at ? blank : end;
        } else if (end < block->count) {
            for (size_t dot = end > at + 3 ? end - 3 : at; dot < end; dot++) {
                block->letters[dot] = (text_letter){.character = '.'};
            }
        }
        block->begin[block->lines] = at;
        block->end[block->lines++] = end;
        at = end;
        while (at < block->count && block->letters[at].character == ' ') {
            at++;
        }
    }
}

static bool dot_at(const font_glyph *glyph, int x, int y) {
    return x >= 0 && y >= 0 && x < FONT_WIDTH && y < FONT_ROWS &&
           ((glyph->rows[y] >> (FONT_WIDTH - 1 - x)) & 1) != 0;
}

/** Whether quarter (right, low) of a dot is inked when the drawing is doubled: slanted edges are rounded
 * where two neighbours agree against the other two (the EPX rule). */
static bool quarter_at(const font_glyph *glyph, int x, int y, bool right, bool low) {
    bool own = dot_at(glyph, x, y);
    bool side = dot_at(glyph, x + (right ? 1 : -1), y), other_side = dot_at(glyph, x + (right ? -1 : 1), y);
    bool level = dot_at(glyph, x, y + (low ? 1 : -1)), other_level = dot_at(glyph, x, y + (low ? -1 : 1));
    return side == level && side != other_level && level != other_side ? side : own;
}

static void draw_letter(pld_image *image, const text_letter *letter, int left, int top, int scale,
                        canvas_colour colour) {
    font_glyph glyph;
    font_draw_letter(letter->character, letter->marks, letter->mark_count, &glyph);
    bool smooth = scale % 2 == 0;
    int half = scale / 2;
    for (int y = 0; y < FONT_ROWS; y++) {
        for (int x = 0; x < FONT_WIDTH; x++) {
            if (!smooth && dot_at(&glyph, x, y)) {
                canvas_fill(image, left + x * scale, top + y * scale, scale, scale, colour);
            }
            for (int quarter = 0; smooth && quarter < 4; quarter++) {
                int right = quarter % 2, low = quarter / 2;
                if (quarter_at(&glyph, x, y, right != 0, low != 0)) {
                    canvas_fill(image, left + (2 * x + right) * half, top + (2 * y + low) * half, half, half,
                                colour);
                }
            }
        }
    }
}

void text_draw_block(pld_image *image, const text_block *block, int left, int top, int scale,
                     canvas_colour colour) {
    for (size_t line = 0; line < block->lines; line++) {
        for (size_t i = block->begin[line]; i < block->end[line]; i++) {
            draw_letter(image, &block->letters[i],
                        left + (int)(i - block->begin[line]) * FONT_ADVANCE * scale,
                        top + (int)line * text_line_height(scale), scale, colour);
        }
    }
}

int text_line_height(int scale) {
    return FONT_LINE * scale;
}

int text_width(const char *utf8, int scale) {
    text_block block;
    decode(utf8, &block);
    return block.count > 0 ? (int)block.count * FONT_ADVANCE * scale - (FONT_ADVANCE - FONT_WIDTH) * scale
                           : 0;
}

void text_draw(pld_image *image, const char *utf8, int left, int top, int scale, canvas_colour colour) {
    text_block block;
    text_wrap(utf8, INT16_MAX, scale, 1, &block);
    text_draw_block(image, &block, left, top, scale, colour);
}

int text_scale_for(int width) {
    return width >= 1024 ? 4 : width >= 256 ? 2 : 1;
}
