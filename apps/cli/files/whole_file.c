/* SPDX-License-Identifier: Apache-2.0 */
#include "files/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pladis/pladis.h>

#include "terminal/cancel.h"
#include "terminal/message.h"

/** Wait until `file` has something to read, or its end. A pipe whose writer never comes must not hold a run that was
 *  cancelled, and the system starts a read again that a signal interrupted. False: cancelled. */
static bool wait_to_read(int file) {
    enum { LOOK_AGAIN = 50 /* ms */ };
    struct pollfd waits = {.fd = file, .events = POLLIN};
    while (!cancel_requested()) {
        if (poll(&waits, 1, LOOK_AGAIN) > 0) {
            return true;
        }
    }
    return false;
}

/** Up to `most` bytes; how many in `*size`. 0: done, else errno; ECANCELED. */
static int read_all(int file, char *bytes, size_t most, size_t *size) {
    for (*size = 0; *size < most;) {
        if (!wait_to_read(file)) {
            return ECANCELED;
        }
        const ssize_t count = read(file, bytes + *size, most - *size);
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return errno;
        }
        *size += count > 0 ? (size_t)count : 0;
    }
    return 0;
}

static void report_unread(const char *path, int reason) {
    pld_error error = {.status = PLD_ERROR_CANCELLED};
    if (reason == ECANCELED) {
        snprintf(error.message, sizeof error.message, "%.200s: cancelled before everything was read", path);
        message_error(&error);
    } else {
        message_failure("%s: cannot be read: %s", path, strerror(reason));
    }
}

char *whole_file_read(const char *path, size_t most, size_t *size) {
    const bool is_input = strcmp(path, "-") == 0;
    const int file = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        report_unread(path, errno);
        return NULL;
    }
    char *bytes = malloc(most + 1);
    *size = 0;
    const int reason = bytes != NULL ? read_all(file, bytes, most + 1, size) : 0;
    char found[32] = "more";
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(found, sizeof found, "%lld", (long long)status.st_size);
    }
    if (!is_input) {
        close(file);
    }
    if (bytes == NULL) {
        message_failure("%s: out of memory", path);
    } else if (reason != 0) {
        report_unread(path, reason);
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
