/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas/text.h"

#include <math.h>
#include <string.h>

#include <utf8proc.h>

#include "canvas/letters.h"

enum { ELLIPSIS = 0x2026 };

/** Parts of the em: what a letter without a drawing takes, and what is free at its sides. */
static const double box_width = 0.62, wide_box_width = 1, box_side = 0.08;
/** Distance between marks above each other, and room between lines, likewise. */
static const double mark_gap = 0.1, leading = 0.12;

static double letter_advance(typeface *face, const text_style *style, const text_letter *letter) {
    if (!typeface_has(face, letter->base)) {
        return style->size * (letter->wide ? wide_box_width : box_width);
    }
    const typeface_glyph *glyph = typeface_draw(face, style->weight, style->size, letter->base, 0);
    return glyph != NULL ? glyph->advance : 0;
}

/** Pixels from the beginning of letter `first` to the end of letter `end` - 1. */
static double measure(typeface *face, const text_style *style, const text_block *block, size_t first,
                      size_t end) {
    double width = 0;
    for (size_t i = first; i < end; i++) {
        width += letter_advance(face, style, &block->letters[i]);
        if (i > first) {
            width += typeface_kerning(face, style->weight, style->size, block->letters[i - 1].base,
                                      block->letters[i].base);
        }
    }
    return width;
}

/** Whether a line may end before letter `at`. */
static bool may_break(const text_block *block, size_t at) {
    return block->letters[at].blank || block->letters[at].wide || block->letters[at - 1].wide;
}

/** Where a word from `first` on that is longer than a line breaks: behind its last sign before `fits`, else
 * there. */
static size_t break_inside(const text_block *block, size_t first, size_t fits) {
    for (size_t end = fits; end > first + 1; end--) {
        const uint32_t before = block->letters[end - 1].base;
        if (before < 0x80 && strchr(",;:/=+_-", (int)before) != NULL) {
            return end;
        }
    }
    return fits;
}

/** Most letters from `first` on that fit into `width`; at least one. */
static size_t letters_that_fit(typeface *face, const text_style *style, const text_block *block, size_t first,
                               double width) {
    size_t end = first + 1;
    double used = letter_advance(face, style, &block->letters[first]);
    while (end < block->count) {
        used += letter_advance(face, style, &block->letters[end]) +
                typeface_kerning(face, style->weight, style->size, block->letters[end - 1].base,
                                 block->letters[end].base);
        if (used > width) {
            break;
        }
        end++;
    }
    return end;
}

/** Put an ellipsis behind the letters of the last line, of which as many go as make room for it. */
static void cut_off(typeface *face, const text_style *style, double width, text_block *block) {
    const size_t line = block->lines - 1;
    size_t end = block->end[line];
    const text_letter dots = {.base = ELLIPSIS};
    const double room = width - letter_advance(face, style, &dots);
    while (end > block->begin[line] + 1 && measure(face, style, block, block->begin[line], end) > room) {
        end--;
    }
    while (end > block->begin[line] + 1 && block->letters[end - 1].blank) {
        end--;
    }
    block->letters[end] = dots; /* room for two more letters than are read */
    block->end[line] = end + 1;
}

void text_wrap(typeface *face, const text_style *style, const char *utf8, double width, size_t most_lines,
               text_block *block) {
    bool whole = letters_read(face, utf8, block);
    size_t at = 0;
    block->lines = 0;
    block->width = 0;
    most_lines = most_lines < TEXT_MOST_LINES ? most_lines : TEXT_MOST_LINES;
    while (at < block->count && block->letters[at].blank) {
        at++;
    }
    while (at < block->count && block->lines < most_lines) {
        size_t end = letters_that_fit(face, style, block, at, width + 0.01);
        const size_t fits = end;
        if (end < block->count) {
            while (end > at && !may_break(block, end)) {
                end--;
            }
            end = end > at ? end : break_inside(block, at, fits);
        }
        block->begin[block->lines] = at;
        block->end[block->lines++] = end;
        at = end;
        while (at < block->count && block->letters[at].blank) {
            at++;
        }
        if (at < block->count && block->lines == most_lines) { /* as much of the rest as fits */
            block->end[block->lines - 1] = fits;
        }
    }
    if (block->lines > 0 && (at < block->count || !whole)) {
        cut_off(face, style, width, block);
    }
    for (size_t i = 0; i < block->lines; i++) {
        block->width = fmax(block->width, measure(face, style, block, block->begin[i], block->end[i]));
    }
}

double text_width(typeface *face, const text_style *style, const char *utf8) {
    text_block block;
    letters_read(face, utf8, &block);
    return measure(face, style, &block, 0, block.count);
}

double text_longest_word(typeface *face, const text_style *style, const char *utf8) {
    text_block block;
    double most = 0;
    letters_read(face, utf8, &block);
    for (size_t begin = 0, end = 0; begin < block.count; begin = end) {
        begin += block.letters[begin].blank;
        end = begin + 1;
        while (end < block.count && !may_break(&block, end)) {
            end++;
        }
        most = begin < block.count ? fmax(most, measure(face, style, &block, begin, end)) : most;
    }
    return most;
}

int text_line_height(typeface *face, const text_style *style) {
    return (int)ceil(typeface_measure(face, style->weight, style->size).line + leading * style->size);
}

/** A glyph with its pen at (x, baseline). */
static void put_glyph(typeface *face, const text_style *style, uint32_t letter, pld_image *image, double x,
                      int baseline) {
    double whole = floor(x);
    int phase = (int)lround((x - whole) * TYPEFACE_PHASES);
    if (phase == TYPEFACE_PHASES) {
        phase = 0;
        whole++;
    }
    const typeface_glyph *glyph = typeface_draw(face, style->weight, style->size, letter, phase);
    if (glyph != NULL && glyph->coverage != NULL) {
        canvas_ink(image, (int)whole + glyph->left, baseline - glyph->top, glyph->coverage, glyph->width,
                   glyph->height, style->colour);
    }
}

/** Where the letters without a drawing stand: an outline as high as a capital. */
static void put_box(typeface *face, const text_style *style, double advance, pld_image *image, double x,
                    int baseline) {
    const int thick = style->size >= 28 ? style->size / 14 : 1;
    const int height = (int)lround(typeface_measure(face, style->weight, style->size).cap_height);
    const int left = (int)lround(x + box_side * style->size);
    const int width = (int)lround(x + advance - box_side * style->size) - left, top = baseline - height;
    canvas_fill(image, left, top, width, thick, style->colour);
    canvas_fill(image, left, baseline - thick, width, thick, style->colour);
    canvas_fill(image, left, top, thick, height, style->colour);
    canvas_fill(image, left + width - thick, top, thick, height, style->colour);
}

/** Marks over and under a letter: centred on it, as far from it as they are from a small letter, each
 * beyond the one before (the placing that Unicode's combining classes ask for, chapter 3.6 and 5.13). */
static void put_marks(typeface *face, const text_style *style, const text_letter *letter, pld_image *image,
                      double x, int baseline) {
    const typeface_glyph *base = typeface_draw(face, style->weight, style->size, letter->base, 0);
    const double x_height = typeface_measure(face, style->weight, style->size).x_height;
    if (base == NULL) {
        return;
    }
    const bool inked = base->x_most > base->x_least;
    const double middle = inked ? (base->x_least + base->x_most) / 2 : base->advance / 2;
    double up = inked && base->y_most > x_height ? base->y_most - x_height : 0;
    double down = inked && base->y_least < 0 ? -base->y_least : 0;
    for (int i = 0; i < letter->mark_count; i++) {
        const typeface_glyph *mark = typeface_draw(face, style->weight, style->size, letter->marks[i], 0);
        if (mark == NULL) {
            continue;
        }
        const utf8proc_propval_t place =
            utf8proc_get_property((utf8proc_int32_t)letter->marks[i])->combining_class;
        const double height = mark->y_most - mark->y_least + mark_gap * style->size;
        const double left = x + middle - (mark->x_least + mark->x_most) / 2;
        double rise = 0;
        if (place <= 1) {
            rise = 0; /* encloses or strikes through */
        } else if (place == 202 || place == 220 || place == 233) {
            rise = -down;
            down += height;
        } else {
            rise = up;
            up += height;
        }
        put_glyph(face, style, letter->marks[i], image, left, baseline - (int)lround(rise));
    }
}

static void put_letter(typeface *face, const text_style *style, const text_letter *letter, pld_image *image,
                       double x, int baseline) {
    if (typeface_has(face, letter->base)) {
        put_glyph(face, style, letter->base, image, x, baseline);
        put_marks(face, style, letter, image, x, baseline);
    } else {
        put_box(face, style, letter_advance(face, style, letter), image, x, baseline);
    }
}

static void put_line(typeface *face, const text_style *style, const text_block *block, size_t line,
                     pld_image *image, double x, int baseline) {
    for (size_t i = block->begin[line]; i < block->end[line]; i++) {
        if (i > block->begin[line]) {
            x += typeface_kerning(face, style->weight, style->size, block->letters[i - 1].base,
                                  block->letters[i].base);
        }
        put_letter(face, style, &block->letters[i], image, x, baseline);
        x += letter_advance(face, style, &block->letters[i]);
    }
}

void text_draw_block(typeface *face, const text_style *style, const text_block *block, pld_image *image,
                     double x, int top, text_side side) {
    const double part = side == TEXT_LEFT ? 0 : side == TEXT_CENTRE ? 0.5 : 1;
    const int height = text_line_height(face, style);
    const typeface_metrics metrics = typeface_measure(face, style->weight, style->size);
    const int ascent = (int)lround((height - metrics.line) / 2 + metrics.ascent);
    for (size_t line = 0; line < block->lines; line++) {
        const double width = measure(face, style, block, block->begin[line], block->end[line]);
        put_line(face, style, block, line, image, x - part * width, top + (int)line * height + ascent);
    }
}

void text_draw(typeface *face, const text_style *style, const char *utf8, pld_image *image, double x, int top,
               text_side side) {
    text_block block;
    text_wrap(face, style, utf8, 1e9, 1, &block);
    text_draw_block(face, style, &block, image, x, top, side);
}
