/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal/picture.h"

#include <stdlib.h>
#include <string.h>

#include "terminal/terminal.h"

enum {
    KITTY_CHUNK = 4096,
    KITTY_BYTES = KITTY_CHUNK / 4 * 3, /* that a chunk of base64 holds */
    KITTY_PICTURE = 7677,
    LEVELS = 6 /* of the colour cube of xterm and of our sixels */
};

static bool environment_has(const char *name, const char *part) {
    const char *value = getenv(name);
    return value != NULL && strstr(value, part) != NULL;
}

static terminal_graphics detect_blocks(void) {
    if (!terminal_is_utf8()) { /* half blocks are no ASCII */
        return TERMINAL_NONE;
    }
    if (environment_has("COLORTERM", "truecolor") || environment_has("COLORTERM", "24bit")) {
        return TERMINAL_BLOCKS_FULL;
    }
    return environment_has("TERM", "256color") ? TERMINAL_BLOCKS_256 : TERMINAL_NONE;
}

terminal_graphics terminal_graphics_detect(void) {
    const char *kind = getenv("TERM");
    if (kind == NULL || kind[0] == '\0' || strcmp(kind, "dumb") == 0) {
        return TERMINAL_NONE;
    }
    bool multiplexed =
        getenv("TMUX") != NULL || environment_has("TERM", "screen") || environment_has("TERM", "tmux");
    if (!multiplexed) { /* which passes no graphics on */
        if (getenv("KITTY_WINDOW_ID") != NULL || environment_has("TERM", "kitty") ||
            environment_has("TERM_PROGRAM", "WezTerm") || environment_has("TERM_PROGRAM", "ghostty")) {
            return TERMINAL_KITTY;
        }
        if (environment_has("TERM", "sixel") || environment_has("TERM", "mlterm") ||
            environment_has("TERM", "yaft") || strncmp(kind, "foot", 4) == 0 ||
            environment_has("TERM", "contour") || environment_has("TERM_PROGRAM", "mintty")) {
            return TERMINAL_SIXEL;
        }
    }
    return detect_blocks();
}

bool terminal_graphics_named(const char *name, terminal_graphics *graphics) {
    if (strcmp(name, "auto") == 0) {
        *graphics = terminal_graphics_detect();
    } else if (strcmp(name, "kitty") == 0) {
        *graphics = TERMINAL_KITTY;
    } else if (strcmp(name, "sixel") == 0) {
        *graphics = TERMINAL_SIXEL;
    } else if (strcmp(name, "blocks") == 0) {
        *graphics = detect_blocks() == TERMINAL_BLOCKS_256 ? TERMINAL_BLOCKS_256 : TERMINAL_BLOCKS_FULL;
    } else {
        return false;
    }
    return true;
}

/** Character cells that the picture gets: a cell is about twice as high as wide, so two pixels. */
static void measure(const pld_image *image, const terminal_room *room, int *columns, int *rows) {
    int most_columns = room->columns > 2 ? room->columns - 1 : 1,
        most_rows = room->rows > 4 ? room->rows - 3 : 1;
    const int half = (image->height + 1) / 2;
    double width = image->width, height = half;
    double factor = width > most_columns ? most_columns / width : 1;
    factor = height * factor > most_rows ? most_rows / height : factor;
    *columns = (int)(width * factor) > 0 ? (int)(width * factor) : 1;
    *rows = (int)(height * factor) > 0 ? (int)(height * factor) : 1;
}

static int sixel_zoom(const pld_image *image) {
    int zoom = 256 / (image->width > 0 ? image->width : 1);
    return zoom > 1 ? zoom : 1;
}

int terminal_picture_rows(terminal_graphics graphics, const pld_image *image, const terminal_room *room) {
    int columns = 0, rows = 0;
    if (graphics == TERMINAL_SIXEL) {
        return (image->height * sixel_zoom(image) + room->cell_height - 1) / room->cell_height;
    }
    measure(image, room, &columns, &rows);
    return rows;
}

/** The pixel of the picture at place (x, y) of a grid of width by height. */
static const uint8_t *pixel_at(const pld_image *image, int x, int y, int width, int height) {
    size_t column = (size_t)((2 * x + 1) * image->width / (2 * width));
    size_t row = (size_t)((2 * y + 1) * image->height / (2 * height));
    return image->pixels + 3 * (row * (size_t)image->width + column);
}

static int cube_level(uint8_t value) {
    return (value * (LEVELS - 1) + 127) / 255;
}

static int cube_index(const uint8_t *rgb) {
    return (cube_level(rgb[0]) * LEVELS + cube_level(rgb[1])) * LEVELS + cube_level(rgb[2]);
}

static void draw_blocks(FILE *file, terminal_graphics graphics, const pld_image *image,
                        const terminal_room *room) {
    int columns = 0, rows = 0;
    measure(image, room, &columns, &rows);
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            const uint8_t *upper = pixel_at(image, x, 2 * y, columns, 2 * rows);
            const uint8_t *lower = pixel_at(image, x, 2 * y + 1, columns, 2 * rows);
            if (graphics == TERMINAL_BLOCKS_FULL) {
                fprintf(file, "\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm▀", upper[0], upper[1], upper[2],
                        lower[0], lower[1], lower[2]);
            } else {
                fprintf(file, "\033[38;5;%dm\033[48;5;%dm▀", 16 + cube_index(upper), 16 + cube_index(lower));
            }
        }
        fputs("\033[0m\033[K\r\n", file);
    }
}

static void put_base64(FILE *file, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (rest > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (rest > 2 ? bytes[i + 2] : 0);
        fputc(digits[bits >> 18], file);
        fputc(digits[bits >> 12 & 63], file);
        fputc(rest > 1 ? digits[bits >> 6 & 63] : '=', file);
        fputc(rest > 2 ? digits[bits & 63] : '=', file);
    }
}

/** Transmit and place (a=T) 24-bit pixels (f=24) without an answer (q=2) or a moved cursor (C=1); the same
 * number replaces the picture before. */
static void draw_kitty(FILE *file, const pld_image *image, const terminal_room *room) {
    size_t size = 3 * (size_t)image->width * (size_t)image->height, chunk = KITTY_BYTES;
    int columns = 0, rows = 0;
    measure(image, room, &columns, &rows);
    for (size_t at = 0; at < size; at += chunk) {
        size_t part = size - at < chunk ? size - at : chunk;
        fputs("\033_G", file);
        if (at == 0) {
            fprintf(file, "a=T,f=24,s=%d,v=%d,c=%d,r=%d,i=%d,p=1,q=2,C=1,", image->width, image->height,
                    columns, rows, KITTY_PICTURE);
        }
        fprintf(file, "m=%d;", at + part < size);
        put_base64(file, image->pixels + at, part);
        fputs("\033\\", file);
    }
    for (int y = 0; y < rows; y++) {
        fputs("\r\n", file);
    }
}

/** The six rows of pixels from `top` on, one colour after the other. */
static void put_sixel_band(FILE *file, const pld_image *image, int zoom, int top) {
    int width = image->width * zoom, height = image->height * zoom;
    bool used[LEVELS * LEVELS * LEVELS] = {false};
    for (int y = top; y < top + 6 && y < height; y++) {
        for (int x = 0; x < width; x++) {
            used[cube_index(pixel_at(image, x, y, width, height))] = true;
        }
    }
    for (int colour = 0; colour < LEVELS * LEVELS * LEVELS; colour++) {
        if (!used[colour]) {
            continue;
        }
        fprintf(file, "#%d", colour);
        for (int x = 0; x < width; x++) {
            int bits = 0;
            for (int y = top; y < top + 6 && y < height; y++) {
                bits |= (cube_index(pixel_at(image, x, y, width, height)) == colour) << (y - top);
            }
            fputc('?' + bits, file);
        }
        fputc('$', file);
    }
    fputc('-', file);
}

static void draw_sixel(FILE *file, const pld_image *image, const terminal_room *room) {
    int zoom = sixel_zoom(image), rows = terminal_picture_rows(TERMINAL_SIXEL, image, room);
    fputs("\0337\033Pq", file); /* where the cursor ends differs between terminals: save and restore it */
    fprintf(file, "\"1;1;%d;%d", image->width * zoom, image->height * zoom);
    for (int colour = 0; colour < LEVELS * LEVELS * LEVELS; colour++) {
        fprintf(file, "#%d;2;%d;%d;%d", colour, colour / (LEVELS * LEVELS) * 20,
                colour / LEVELS % LEVELS * 20, colour % LEVELS * 20);
    }
    for (int top = 0; top < image->height * zoom; top += 6) {
        put_sixel_band(file, image, zoom, top);
    }
    fputs("\033\\\0338", file);
    for (int y = 0; y < rows; y++) {
        fputs("\r\n", file);
    }
}

void terminal_picture_draw(FILE *file, terminal_graphics graphics, const pld_image *image,
                           const terminal_room *room) {
    switch (graphics) {
    case TERMINAL_NONE:
        break;
    case TERMINAL_KITTY:
        draw_kitty(file, image, room);
        break;
    case TERMINAL_SIXEL:
        draw_sixel(file, image, room);
        break;
    case TERMINAL_BLOCKS_256:
    case TERMINAL_BLOCKS_FULL:
        draw_blocks(file, graphics, image, room);
        break;
    }
}
