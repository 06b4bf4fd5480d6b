/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"
#include "io/png.h"
#include "pipeline/internal.h"

enum { MAX_TEXTS = 16 };

void pld_image_free(pld_image *image) {
    pld_free(image->pixels);
    *image = (pld_image){0};
}

/** Pairs key, value, …, NULL → the form that the PNG writer takes. */
static pld_status collect_texts(const char *const *pairs, pld_png_text *texts, size_t *count,
                                pld_error *error) {
    *count = 0;
    for (size_t i = 0; pairs && pairs[i]; i += 2) {
        if (*count == MAX_TEXTS || !pairs[i + 1]) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "picture text: expected at most %d pairs of key and value", MAX_TEXTS);
        }
        texts[(*count)++] = (pld_png_text){pairs[i], pairs[i + 1]};
    }
    return PLD_OK;
}

pld_status pld_image_write_png(const pld_image *image, const char *path, const char *const *text,
                               pld_error *error) {
    pld_png_text texts[MAX_TEXTS];
    size_t count = 0;
    PLD_TRY(collect_texts(text, texts, &count, error));
    return pld_png_write(path, image->pixels, image->width, image->height, texts, count, error);
}

pld_status pld_image_encode_png(const pld_image *image, const char *const *text, uint8_t **bytes,
                                size_t *size, pld_error *error) {
    pld_png_text texts[MAX_TEXTS];
    size_t count = 0;
    PLD_TRY(collect_texts(text, texts, &count, error));
    return pld_png_encode(image->pixels, image->width, image->height, texts, count, bytes, size, error);
}

void pld_bytes_free(uint8_t **bytes) {
    pld_free(*bytes);
    *bytes = NULL;
}

pld_status pld_image_read_png(const char *path, pld_image *image, pld_error *error) {
    pld_png_picture picture = {0};
    *image = (pld_image){0};
    PLD_TRY(pld_png_read(path, &picture, error));
    *image = (pld_image){picture.width, picture.height, picture.rgb};
    picture.rgb = NULL;
    pld_png_picture_free(&picture);
    return PLD_OK;
}
