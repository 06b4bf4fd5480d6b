/* SPDX-License-Identifier: Apache-2.0 */
#include "json_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "whole_file.h"

/** The text of `value`, which is released; NULL after an error line. */
static char *take_text(json_t *value) {
    char *text = value != NULL ? json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    if (text == NULL) {
        message_failure("JSON cannot be made: out of memory, or a text is not UTF-8");
    }
    return text;
}

int json_output_print(json_t *value) {
    char *text = take_text(value);
    if (text == NULL) {
        return EXIT_FAILED;
    }
    printf("%s\n", text);
    free(text);
    return EXIT_DONE;
}

int json_output_save(json_t *value, const char *path) {
    char *text = take_text(value);
    if (text == NULL) {
        return EXIT_FAILED;
    }
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the zero byte */
    int code = whole_file_write(path, text, length + 1);
    free(text);
    return code;
}
