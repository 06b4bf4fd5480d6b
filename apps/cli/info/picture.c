/* SPDX-License-Identifier: Apache-2.0 */
#include "info/picture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pladis/metadata.h>

#include "files/json_output.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

bool picture_info_is_png(const char *path) {
    static const char signature[8] = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
    char found[sizeof signature];
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer is no picture */
    bool is_png = file >= 0 && read(file, found, sizeof found) == (ssize_t)sizeof found &&
                  memcmp(found, signature, sizeof found) == 0;
    if (file >= 0) {
        close(file);
    }
    return is_png;
}

static void print_plain(const char *text) {
    print_output_lines(text);
    print_output("\n");
}

/** False: memory is out. */
static bool print_object(const json_t *object) {
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        char *text = json_write(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (text == NULL) {
            return false;
        }
        print_output("  %s:%*s", key, strlen(key) < 18 ? (int)(18 - strlen(key)) : 1, "");
        print_plain(json_is_string(value) ? json_string_value(value) : text);
        free(text);
    }
    return true;
}

/** The pictures of our own entry, field by field. False: memory is out. */
static bool print_own(const char *entry) {
    json_error_t problem;
    json_t *top = json_read(entry, strlen(entry), &problem);
    const json_t *list = json_object_get(top, "pictures");
    const char *model = json_string_value(json_object_get(top, "model"));
    if (!json_is_array(list) || model == NULL) {
        json_decref(top);
        if (!json_memory_was_out()) {
            print_output("\npladis: damaged, not as this program writes it\n");
        }
        return !json_memory_was_out();
    }
    bool done = true;
    print_output("\nmodel ");
    print_plain(model);
    for (size_t i = 0; done && i < json_array_size(list); i++) {
        print_output("picture %zu of %zu\n", i + 1, json_array_size(list));
        done = print_object(json_array_get(list, i));
    }
    json_decref(top);
    return done;
}

/** Gives the exit code. */
static int print_texts(const char *path, const pld_image *image, char **text) {
    const char *program = pld_metadata_program(text);
    print_output("%s\n  PNG, %d x %d%s%s\n", path, image->width, image->height,
                 program != NULL ? ", written by " : "", program != NULL ? program : "");
    if (text[0] == NULL) {
        print_output("\nno metadata\n");
    }
    for (size_t i = 0; text[i] != NULL; i += 2) {
        if (strcmp(text[i], "pladis") == 0) {
            if (!print_own(text[i + 1])) {
                return message_failure("%s: out of memory for its metadata", path);
            }
        } else {
            print_output("\n%s\n", text[i]);
            print_plain(text[i + 1]);
        }
    }
    return EXIT_DONE;
}

static json_t *make_json(const char *path, const pld_image *image, char **text) {
    json_t *texts = json_object(), *own = json_null();
    const char *program = pld_metadata_program(text);
    for (size_t i = 0; text[i] != NULL; i += 2) {
        if (strcmp(text[i], "pladis") == 0) {
            json_error_t problem;
            json_t *read = json_read(text[i + 1], strlen(text[i + 1]), &problem);
            json_decref(own);
            own = read != NULL ? read : json_null();
        } else {
            json_object_set_new(texts, text[i], json_text(text[i + 1]));
        }
    }
    return json_pack("{s:o, s:s, s:i, s:i, s:o, s:o, s:o}", "path", json_text(path), "layout", "png", "width",
                     image->width, "height", image->height, "program", json_text(program), "metadata", texts,
                     "pladis", own);
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
        code = print_texts(path, &image, text);
    }
    pld_image_free(&image);
    pld_text_free(&text);
    return code;
}
