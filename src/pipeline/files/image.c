/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"
#include "io/pictures/png.h"
#include "pipeline/model/model.h"

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

/** The texts of a picture that was read, taken over by a list of pairs. */
static pld_status take_texts(pld_png_picture *picture, char ***text, pld_error *error) {
    char **pairs = pld_allocate(2 * picture->text_count + 1, sizeof *pairs);
    if (!pairs) {
        return pld_fail_memory(error, picture->text_count * sizeof *pairs, "texts of a picture");
    }
    for (size_t i = 0; i < picture->text_count; i++) {
        pairs[2 * i] = (char *)(uintptr_t)picture->texts[i].key;
        pairs[2 * i + 1] = (char *)(uintptr_t)picture->texts[i].value;
    }
    picture->text_count = 0;
    *text = pairs;
    return PLD_OK;
}

/** Hand over a picture that was read, whose texts go to `text` (may be NULL); `picture` is freed. */
static pld_status give_picture(pld_png_picture *picture, pld_image *image, char ***text, pld_error *error) {
    pld_status status = text ? take_texts(picture, text, error) : PLD_OK;
    if (status == PLD_OK && text && error) {
        *error = picture->text_problem;
    }
    if (status == PLD_OK) {
        *image = (pld_image){picture->width, picture->height, picture->rgb};
        picture->rgb = NULL;
    }
    pld_png_picture_free(picture);
    return status;
}

static pld_status read_png(const char *path, pld_image *image, char ***text, pld_error *error) {
    pld_png_picture picture = {0};
    *image = (pld_image){0};
    PLD_TRY(pld_png_read(path, &picture, error));
    return give_picture(&picture, image, text, error);
}

static pld_status decode_png(const void *bytes, size_t size, const char *name, pld_image *image, char ***text,
                             pld_error *error) {
    pld_png_picture picture = {0};
    *image = (pld_image){0};
    PLD_TRY(pld_png_decode(bytes, size, name ? name : "PNG", &picture, error));
    return give_picture(&picture, image, text, error);
}

pld_status pld_image_read_png(const char *path, pld_image *image, pld_error *error) {
    return read_png(path, image, NULL, error);
}

pld_status pld_image_read_described(const char *path, pld_image *image, char ***text, pld_error *error) {
    *text = NULL;
    return read_png(path, image, text, error);
}

pld_status pld_image_decode_png(const void *bytes, size_t size, const char *name, pld_image *image,
                                pld_error *error) {
    return decode_png(bytes, size, name, image, NULL, error);
}

pld_status pld_image_decode_described(const void *bytes, size_t size, const char *name, pld_image *image,
                                      char ***text, pld_error *error) {
    *text = NULL;
    return decode_png(bytes, size, name, image, text, error);
}

void pld_text_free(char ***text) {
    for (size_t i = 0; *text && (*text)[i]; i++) {
        pld_free((*text)[i]);
    }
    pld_free(*text);
    *text = NULL;
}
