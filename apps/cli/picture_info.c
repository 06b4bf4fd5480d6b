/* SPDX-License-Identifier: Apache-2.0 */
#include "picture_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/pladis.h>

#include "json_output.h"
#include "message.h"
#include "picture_origin.h"

bool picture_info_is_png(const char *path) {
    static const char signature[8] = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
    char found[sizeof signature];
    FILE *file = fopen(path, "rb");
    bool is_png = file != NULL && fread(found, 1, sizeof found, file) == sizeof found &&
                  memcmp(found, signature, sizeof found) == 0;
    if (file != NULL) {
        fclose(file);
    }
    return is_png;
}

/** Text of a stranger's file: no control characters reach the terminal. */
static void put_plain(const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        bool second_set = *at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0; /* U+0080 to U+009F */
        bool hidden = second_set || (*at < 0x20 && *at != '\n' && *at != '\t') || *at == 0x7f;
        putchar(hidden ? '?' : *at);
        at += second_set;
    }
}

static void print_plain(const char *text) {
    put_plain(text);
    putchar('\n');
}

static void print_object(const json_t *object) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        printf("  ");
        put_plain(key);
        printf(":%*s", strlen(key) < 18 ? (int)(18 - strlen(key)) : 1, "");
        print_plain(json_is_string(value) ? json_string_value(value) : text != NULL ? text : "?");
        free(text);
    }
}

/** The pictures of our own entry, field by field. */
static void print_own(const char *entry) {
    json_t *top = json_loads(entry, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(top, "pictures");
    const char *model = json_string_value(json_object_get(top, "model"));
    if (!json_is_array(list) || model == NULL) {
        printf("\npladis: damaged, not as this program writes it\n");
        json_decref(top);
        return;
    }
    printf("\nmodel ");
    print_plain(model);
    for (size_t i = 0; i < json_array_size(list); i++) {
        printf("picture %zu of %zu\n", i + 1, json_array_size(list));
        print_object(json_array_get(list, i));
    }
    json_decref(top);
}

static void print_texts(const char *path, const pld_image *image, char **text) {
    const char *value = NULL;
    const picture_origin *origin = picture_origin_find(text, &value);
    printf("%s\n  PNG, %d x %d%s%s\n", path, image->width, image->height,
           origin != NULL ? ", written by " : "", origin != NULL ? origin->program : "");
    if (text[0] == NULL) {
        printf("\nno metadata\n");
    }
    for (size_t i = 0; text[i] != NULL; i += 2) {
        if (strcmp(text[i], "pladis") == 0) {
            print_own(text[i + 1]);
        } else {
            printf("\n");
            print_plain(text[i]);
            print_plain(text[i + 1]);
        }
    }
}

static json_t *make_json(const char *path, const pld_image *image, char **text) {
    json_t *texts = json_object(), *own = json_null();
    const char *value = NULL;
    const picture_origin *origin = picture_origin_find(text, &value);
    for (size_t i = 0; text[i] != NULL; i += 2) {
        if (strcmp(text[i], "pladis") == 0) {
            json_t *read = json_loads(text[i + 1], JSON_REJECT_DUPLICATES, NULL);
            json_decref(own);
            own = read != NULL ? read : json_null();
        } else {
            json_object_set_new(texts, text[i], json_string(text[i + 1]));
        }
    }
    return json_pack("{s:s, s:s, s:i, s:i, s:s?, s:o, s:o}", "path", path, "layout", "png", "width",
                     image->width, "height", image->height, "program",
                     origin != NULL ? origin->program : NULL, "metadata", texts, "pladis", own);
}

int picture_info_print(const char *path, bool json) {
    pld_image image;
    pld_error error = {0};
    char **text = NULL;
    if (pld_image_read_described(path, &image, &text, &error) != PLD_OK) {
        return message_error(&error);
    }
    if (error.status != PLD_OK) {
        message_note("%s; it is left out", error.message);
    }
    int code = EXIT_DONE;
    if (json) {
        code = json_output_print(make_json(path, &image, text));
    } else {
        print_texts(path, &image, text);
    }
    pld_image_free(&image);
    pld_text_free(&text);
    return code;
}
