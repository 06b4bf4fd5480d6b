/* SPDX-License-Identifier: Apache-2.0 */
#include "files/json_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/whole_file.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

/** The text of `value`, which is released; NULL after an error line. */
static char *take_text(json_t *value) {
    char *text = json_write(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(value);
    if (text == NULL) {
        message_failure("out of memory for JSON");
    }
    return text;
}

int json_output_print(json_t *value) {
    char *text = take_text(value);
    if (text == NULL) {
        return EXIT_FAILED;
    }
    print_output_json(text);
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
