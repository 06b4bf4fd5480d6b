/* SPDX-License-Identifier: Apache-2.0 */
#include "attention_picture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "output_name.h"
#include "sheet.h"

enum { COLUMNS = 3, LABEL_SIZE = 256 };

/** Black, violet, red, yellow, white: dark to bright, so that it can be read in grey too. */
static void heat_colour(double heat, double colour[3]) {
    static const double stops[][3] = {
        {0, 0, 4}, {85, 15, 110}, {190, 55, 80}, {250, 145, 20}, {252, 255, 200}};
    double place = (heat < 0 ? 0 : heat > 1 ? 1 : heat) * 4;
    int low = place < 3 ? (int)place : 3;
    for (int c = 0; c < 3; c++) {
        colour[c] = stops[low][c] + (place - low) * (stops[low + 1][c] - stops[low][c]);
    }
}

/** A map of [height, width] latents at a pixel, bilinearly. */
static double value_at(const pld_attention_map *map, const float *values, double y, double x) {
    double row = y < 0 ? 0 : y, column = x < 0 ? 0 : x;
    int top = (int)row, left = (int)column;
    int bottom = top + 1 < map->height ? top + 1 : top, right = left + 1 < map->width ? left + 1 : left;
    double down = row - top, across = column - left;
    const float *upper = values + (size_t)top * (size_t)map->width;
    const float *lower = values + (size_t)bottom * (size_t)map->width;
    return ((double)upper[left] * (1 - across) + (double)upper[right] * across) * (1 - down) +
           ((double)lower[left] * (1 - across) + (double)lower[right] * across) * down;
}

/** The picture in dark grey under the colours of a map, of which `most` is the brightest. */
static bool paint(const pld_image *drawn, const pld_attention_map *map, const float *values, double most,
                  pld_image *result) {
    if (!canvas_create(result, (size_t)drawn->width, (size_t)drawn->height, "the map")) {
        return false;
    }
    for (int y = 0; y < drawn->height; y++) {
        for (int x = 0; x < drawn->width; x++) {
            size_t at = 3 * ((size_t)y * (size_t)drawn->width + (size_t)x);
            const uint8_t *rgb = drawn->pixels + at;
            double grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], colour[3];
            double value = value_at(map, values, (y + 0.5) * map->height / drawn->height - 0.5,
                                    (x + 0.5) * map->width / drawn->width - 0.5);
            heat_colour(most > 0 ? value / most : 0, colour);
            for (int c = 0; c < 3; c++) {
                result->pixels[at + (size_t)c] = (uint8_t)(0.3 * grey + 0.7 * colour[c] + 0.5);
            }
        }
    }
    return true;
}

static double largest(const pld_attention_map *map, const float *values) {
    double most = 0;
    for (int i = 0; i < map->width * map->height; i++) {
        most = (double)values[i] > most ? (double)values[i] : most;
    }
    return most;
}

/** What the sheet shows: three cells a word. */
typedef struct map_sheet {
    size_t words;
    pld_image *images;          /* [2 · words] */
    sheet_cell *cells;          /* [3 · words] */
    char (*labels)[LABEL_SIZE]; /* [3 · words] */
} map_sheet;

static void print_word(char label[LABEL_SIZE], int length, const char *word) {
    snprintf(label, LABEL_SIZE, "“%.*s”", length < 100 ? length : 100, word);
}

static void print_most(char dense_label[LABEL_SIZE], char sparse_label[LABEL_SIZE], double dense,
                       double sparse, double alpha) {
    snprintf(dense_label, LABEL_SIZE, "dense: at most %.3g of the attention", dense);
    snprintf(sparse_label, LABEL_SIZE, "sparse, α = %g: at most %.3g", alpha, sparse);
}

static bool fill_word(const picture *drawn, const pld_attention_map *map, size_t word, map_sheet *sheet) {
    double dense = largest(map, map->dense), sparse = largest(map, map->sparse);
    double most = dense > sparse ? dense : sparse;
    pld_image *images = sheet->images + 2 * word;
    sheet_cell *cells = sheet->cells + COLUMNS * word;
    char(*labels)[LABEL_SIZE] = sheet->labels + COLUMNS * word;
    if (!paint(&drawn->image, map, map->dense, most, &images[0]) ||
        !paint(&drawn->image, map, map->sparse, most, &images[1])) {
        return false;
    }
    print_word(labels[0], 100, map->word);
    print_most(labels[1], labels[2], dense, sparse, drawn->settings->pladis_alpha);
    for (int i = 0; i < COLUMNS; i++) {
        cells[i] = (sheet_cell){.image = i == 0 ? &drawn->image : &images[i - 1], .label = labels[i]};
    }
    return true;
}

int attention_picture_check(const picture *drawn, const char *words) {
    enum { MOST_WORDS = 256 }; /* more do not fit in any case */
    static char labels[MOST_WORDS][LABEL_SIZE];
    static sheet_cell cells[COLUMNS * MOST_WORDS];
    char dense[LABEL_SIZE], sparse[LABEL_SIZE]; /* as wide as they can become */
    size_t count = 0;
    print_most(dense, sparse, -1.23e-05, -1.23e-05, drawn->settings->pladis_alpha);
    for (const char *at = words; at != NULL && count < MOST_WORDS; count++) {
        const int length = (int)strcspn(at, ",");
        print_word(labels[count], length, at);
        cells[COLUMNS * count] = (sheet_cell){.image = &drawn->image, .label = labels[count]};
        cells[COLUMNS * count + 1] = (sheet_cell){.image = &drawn->image, .label = dense};
        cells[COLUMNS * count + 2] = (sheet_cell){.image = &drawn->image, .label = sparse};
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return sheet_check(cells, COLUMNS * count, COLUMNS, (int)drawn->settings->zoom);
}

bool attention_picture_compose(const picture *drawn, const pld_attention_maps *maps, pld_image *result) {
    pld_attention_map map;
    map_sheet sheet = {0};
    while (pld_attention_maps_get(maps, sheet.words, &map)) {
        sheet.words++;
    }
    const size_t room = sheet.words > 0 ? sheet.words : 1;
    sheet.images = calloc(2 * room, sizeof *sheet.images);
    sheet.cells = calloc(COLUMNS * room, sizeof *sheet.cells);
    sheet.labels = calloc(COLUMNS * room, sizeof *sheet.labels);
    bool done = sheet.images != NULL && sheet.cells != NULL && sheet.labels != NULL;
    if (!done) {
        message_failure("out of memory for the maps of %zu words", sheet.words);
    }
    for (size_t i = 0; done && i < sheet.words; i++) {
        done = pld_attention_maps_get(maps, i, &map) && fill_word(drawn, &map, i, &sheet);
    }
    done = done &&
           sheet_compose(sheet.cells, COLUMNS * sheet.words, COLUMNS, (int)drawn->settings->zoom, result);
    for (size_t i = 0; sheet.images != NULL && i < 2 * sheet.words; i++) {
        canvas_free(&sheet.images[i]);
    }
    free(sheet.images);
    free(sheet.cells);
    free(sheet.labels);
    return done;
}

bool attention_picture_name(const generate_request *request, size_t index, size_t count, char *name,
                            size_t size) {
    char pattern[PATH_MAX];
    const char *output = request->output;
    size_t length = strlen(output);
    bool png = length > 4 && strcmp(output + length - 4, ".png") == 0;
    int written = request->attention_maps_output != NULL
                      ? snprintf(pattern, sizeof pattern, "%s", request->attention_maps_output)
                      : snprintf(pattern, sizeof pattern, "%.*s-attention.png",
                                 (int)(png ? length - 4 : length), output);
    if (written >= (int)sizeof pattern || !output_name(pattern, index + 1, count, name, size)) {
        message_usage("--attention-maps-output: the file name is too long");
        return false;
    }
    return true;
}
