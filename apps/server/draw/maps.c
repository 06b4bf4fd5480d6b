/* SPDX-License-Identifier: Apache-2.0 */
#include "draw/maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pld_option_value *value_of(const job_request *request, const char *name) {
    return pld_options_get(request->options, "generate", name);
}

pld_status job_maps_make(const job_request *request, pld_attention_maps **maps, pld_error *error) {
    const pld_option_value *words = value_of(request, "attention-maps");
    pld_attention_maps_options options;
    *maps = NULL;
    if (!words->is_set || words->text[0] == '\0') {
        return PLD_OK;
    }
    pld_attention_maps_options_init(&options, sizeof options);
    options.words = words->text;
    options.blocks = value_of(request, "attention-maps-blocks")->text;
    options.start = value_of(request, "attention-maps-start")->number;
    options.end = value_of(request, "attention-maps-end")->number;
    return pld_attention_maps_create(&options, maps, error);
}

static float largest_of(const float *values, size_t count, float most) {
    for (size_t i = 0; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most;
}

/** Shares of `values` [height, width] as a grey PNG in which `most` is white. */
static pld_status grey_png(const float *values, int width, int height, float most, job_bytes *png,
                           pld_error *error) {
    const size_t count = (size_t)width * (size_t)height;
    pld_image image = {width, height, malloc(3 * count)};
    if (image.pixels == NULL) {
        error->status = PLD_ERROR_MEMORY;
        snprintf(error->message, sizeof error->message, "out of memory for attention maps");
        return PLD_ERROR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const float share = most > 0 && values[i] > 0 ? values[i] / most : 0;
        memset(image.pixels + 3 * i, (int)(255 * (share < 1 ? share : 1) + 0.5f), 3);
    }
    const pld_status status = pld_image_encode_png(&image, NULL, &png->bytes, &png->size, error);
    free(image.pixels);
    return status;
}

static pld_status note_one(const pld_attention_map *map, job *noted, pld_error *error) {
    const size_t count = (size_t)map->width * (size_t)map->height;
    const float most = largest_of(map->sparse, count, largest_of(map->dense, count, 0));
    job_map made = {.word = strdup(map->word), .tokens = map->tokens, .most = (double)most};
    pld_status status = grey_png(map->dense, map->width, map->height, most, &made.dense, error);
    status =
        status == PLD_OK ? grey_png(map->sparse, map->width, map->height, most, &made.sparse, error) : status;
    if (status != PLD_OK || made.word == NULL) {
        free(made.word);
        pld_bytes_free(&made.dense.bytes);
        pld_bytes_free(&made.sparse.bytes);
        return status != PLD_OK ? status : PLD_ERROR_MEMORY;
    }
    job_note_map(noted, &made);
    return PLD_OK;
}

pld_status job_maps_note(pld_attention_maps *maps, job *noted, pld_error *error) {
    pld_attention_map map = {.struct_size = sizeof map};
    pld_status status = PLD_OK;
    for (size_t i = 0; status == PLD_OK && i < JOB_MOST_MAPS && pld_attention_maps_get(maps, i, &map); i++) {
        status = note_one(&map, noted, error);
    }
    return status;
}
