/* SPDX-License-Identifier: Apache-2.0 */
#include "pages/attention_picture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/output_name.h"
#include "pages/caption.h"
#include "pages/sheet.h"
#include "pictures/facets.h"
#include "terminal/message.h"

enum { COLUMNS = 3 };

/** How much of the picture shines through a map, in grey; bars of colours have middle grey behind them. */
static const double picture_part = 0.2, middle_grey = 128;

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

static uint8_t over_grey(double grey, double colour) {
    return (uint8_t)(picture_part * grey + (1 - picture_part) * colour + 0.5);
}

static void scale_colour(double part, canvas_colour *result) {
    double colour[3];
    heat_colour(part, colour);
    for (int c = 0; c < 3; c++) {
        result->rgb[c] = over_grey(middle_grey, colour[c]);
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
                result->pixels[at + (size_t)c] = over_grey(grey, colour[c]);
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

/** A sheet of maps while it is laid out: a row for each word. */
typedef struct map_sheet {
    size_t words;
    pld_image *images;   /* [words, 2] */
    sheet_cell *cells;   /* [words, COLUMNS] */
    const char **heads;  /* [words] */
    sheet_scale *scales; /* [words] */
    captions texts;
} map_sheet;

static bool reserve(map_sheet *maps) {
    const size_t room = maps->words > 0 ? maps->words : 1;
    maps->images = calloc(2 * room, sizeof *maps->images);
    maps->cells = calloc(COLUMNS * room, sizeof *maps->cells);
    maps->heads = calloc(room, sizeof *maps->heads);
    maps->scales = calloc(room, sizeof *maps->scales);
    if (maps->images == NULL || maps->cells == NULL || maps->heads == NULL || maps->scales == NULL) {
        message_failure("out of memory for the maps of %zu words", maps->words);
        return false;
    }
    return true;
}

/** A row of the sheet, with room for what is known after drawing only. */
static void add_word(const picture *drawn, size_t word, const char *text, map_sheet *maps) {
    sheet_cell *cells = maps->cells + COLUMNS * word;
    for (size_t i = 0; i < COLUMNS; i++) {
        cells[i] = (sheet_cell){.image = &drawn->image, .widest = i > 0 ? "at most 0.000444 %" : NULL};
    }
    maps->heads[word] = captions_add(&maps->texts, "“%s”", text);
    maps->scales[word] = (sheet_scale){0, scale_colour};
}

/** Put the maps of a word into its row. */
static bool paint_word(const picture *drawn, const pld_attention_map *map, size_t word, map_sheet *maps) {
    const double dense = largest(map, map->dense), sparse = largest(map, map->sparse);
    const double most = dense > sparse ? dense : sparse;
    pld_image *images = maps->images + 2 * word;
    sheet_cell *cells = maps->cells + COLUMNS * word;
    if (!paint(&drawn->image, map, map->dense, most, &images[0]) ||
        !paint(&drawn->image, map, map->sparse, most, &images[1])) {
        return false;
    }
    cells[1].image = &images[0];
    cells[1].note = captions_add(&maps->texts, "at most %.3g %%", 100 * dense);
    cells[2].image = &images[1];
    cells[2].note = captions_add(&maps->texts, "at most %.3g %%", 100 * sparse);
    maps->scales[word].most = most;
    return true;
}

static int lay_out(const picture *drawn, const char *model_name, map_sheet *maps, pld_image *result) {
    char common[FACETS_TEXT];
    facets_common(drawn, 1, common);
    const char *const heads[COLUMNS] = {
        "picture", "dense (softmax)",
        captions_add(&maps->texts, "sparse (α-entmax, α = %g)", drawn->settings->pladis_alpha)};
    const sheet_page page = {
        .title = drawn->prompt,
        .subtitle = captions_add(&maps->texts, "%s, %s", model_name, common),
        .footnote = "Share of each place's cross-attention that goes to the word: mean over heads, "
                    "layers and steps, shown over the picture in grey.",
        .column_heads = heads,
        .row_heads = maps->heads,
        .cells = maps->cells,
        .scales = maps->scales,
        .scale_head = "share",
        .rows = maps->words,
        .columns = COLUMNS,
        .zoom = (int)drawn->settings->zoom};
    return captions_failed(&maps->texts, "the sheet of maps")
               ? EXIT_FAILED
               : sheet_compose(&page, "the sheet of maps", result);
}

/** The sheet of maps, or with NULL only whether it can be made. Gives the exit code. */
static int compose(const picture *drawn, const pld_attention_maps *maps, const char *model_name,
                   pld_image *result) {
    pld_attention_map map = {.struct_size = sizeof map};
    map_sheet page = {0};
    while (pld_attention_maps_word(maps, page.words) != NULL) {
        page.words++;
    }
    bool done = reserve(&page);
    for (size_t i = 0; done && i < page.words; i++) {
        add_word(drawn, i, pld_attention_maps_word(maps, i), &page);
        done = result == NULL || (pld_attention_maps_get(maps, i, &map) && paint_word(drawn, &map, i, &page));
    }
    const int code = done ? lay_out(drawn, model_name, &page, result) : EXIT_FAILED;
    for (size_t i = 0; page.images != NULL && i < 2 * page.words; i++) {
        canvas_free(&page.images[i]);
    }
    free(page.images);
    free(page.cells);
    free(page.heads);
    free(page.scales);
    captions_free(&page.texts);
    return code;
}

bool attention_picture_compose(const picture *drawn, const pld_attention_maps *maps, const char *model_name,
                               pld_image *result) {
    return compose(drawn, maps, model_name, result) == EXIT_DONE;
}

int attention_picture_check(const picture *drawn, const pld_attention_maps *maps, const char *model_name) {
    return compose(drawn, maps, model_name, NULL);
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
