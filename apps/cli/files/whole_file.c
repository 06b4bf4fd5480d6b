/* SPDX-License-Identifier: Apache-2.0 */
#include "files/whole_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pladis/pladis.h>

#include "terminal/cancel.h"
#include "terminal/message.h"

char *whole_file_read(const char *path, size_t most, size_t *size) {
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "rb");
    if (file == NULL) {
        message_failure("%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = malloc(most + 1);
    *size = bytes != NULL ? fread(bytes, 1, most + 1, file) : 0;
    bool failed = ferror(file) != 0;
    int reason = errno;
    char found[32] = "more";
    struct stat status;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(found, sizeof found, "%lld", (long long)status.st_size);
    }
    if (!is_input) {
        fclose(file);
    }
    if (bytes == NULL) {
        message_failure("%s: out of memory", path);
    } else if (failed) {
        message_failure("%s: cannot be read: %s", path, strerror(reason));
    } else if (*size > most) {
        message_failure("%s: expected at most %zu bytes, found %s", path, most, found);
    } else {
        bytes[*size] = '\0';
        return bytes;
    }
    free(bytes);
    return NULL;
}

char *whole_file_read_text(const char *path, size_t most, size_t *size) {
    char *bytes = whole_file_read(path, most, size), *decoded = NULL, *text = NULL;
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    pld_error error = {0};
    if (bytes == NULL) {
        return NULL;
    }
    if (pld_plain_text_decode(bytes, *size, name, &decoded, size, &error) != PLD_OK) {
        message_error(&error);
    } else if ((text = strdup(decoded)) == NULL) {
        message_failure("%s: out of memory", name);
    }
    pld_plain_text_free(&decoded);
    free(bytes);
    return text;
}

int whole_file_write(const char *path, const void *data, size_t size) {
    pld_error error = {0};
    cancel_guard_begin();
    pld_status status = pld_bytes_write(data, size, path, cancel_flag(), &error);
    cancel_guard_end();
    return status == PLD_OK ? EXIT_DONE : message_error(&error);
}

int whole_file_to_output(const void *data, size_t size) {
    return whole_file_write("/dev/stdout", data, size);
}

int whole_file_write_png(const char *path, const pld_image *image, const char *const *text) {
    pld_error error = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (pld_image_encode_png(image, text, &bytes, &size, &error) != PLD_OK) {
        return message_failure("%s: %s", path, error.message);
    }
    int code = whole_file_write(path, bytes, size);
    pld_bytes_free(&bytes);
    return code;
}

bool whole_file_is_there(const char *path) {
    return access(path, R_OK) == 0;
}
