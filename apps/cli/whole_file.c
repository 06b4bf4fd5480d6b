/* SPDX-License-Identifier: Apache-2.0 */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pladis/pladis.h>

#include "cancel.h"
#include "message.h"

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

static bool write_all(int file, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        ssize_t written = write(file, at, size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        at += written;
        size -= (size_t)written;
    }
    return true;
}

/** Write to a name beside `path` and rename; errno tells what failed. */
static bool replace_file(const char *path, const void *data, size_t size) {
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    int file = mkstemp(temporary);
    if (file < 0) {
        return false;
    }
    mode_t mask = umask(0);
    umask(mask);
    bool done = fchmod(file, 0666 & ~mask) == 0 && write_all(file, data, size) && fsync(file) == 0;
    int reason = errno;
    if (close(file) != 0 && done) {
        done = false;
        reason = errno;
    }
    if (done && rename(temporary, path) != 0) {
        done = false;
        reason = errno;
    }
    if (!done) {
        unlink(temporary);
        errno = reason;
    }
    return done;
}

bool whole_file_write(const char *path, const void *data, size_t size) {
    struct stat status;
    bool special = stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
    cancel_guard_begin();
    bool done = false;
    if (special) {
        int file = open(path, O_WRONLY);
        done = file >= 0 && write_all(file, data, size);
        int reason = errno;
        if (file >= 0) {
            close(file);
        }
        errno = reason;
    } else {
        done = replace_file(path, data, size);
    }
    int reason = errno;
    cancel_guard_end();
    if (!done) {
        message_failure("%s: cannot be written: %s", path, strerror(reason));
    }
    return done;
}

bool whole_file_to_output(const void *data, size_t size) {
    if (!write_all(STDOUT_FILENO, data, size)) {
        message_failure("standard output: cannot be written: %s", strerror(errno));
        return false;
    }
    return true;
}

bool whole_file_can_write(const char *option, const char *path) {
    struct stat status;
    if (path[0] == '\0') {
        message_usage("--%s: found \"\", expected a file name", option);
        return false;
    }
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            message_failure("--%s: %s is a folder; expected a file name", option, path);
            return false;
        }
        if (!S_ISREG(status.st_mode)) {
            return true;
        }
    }
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL) {
        snprintf(folder, sizeof folder, ".");
    } else {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    if (access(folder, W_OK | X_OK) != 0) {
        message_failure("--%s: %s cannot be written: folder %s: %s", option, path, folder, strerror(errno));
        return false;
    }
    return true;
}

bool whole_file_is_there(const char *path) {
    return access(path, R_OK) == 0;
}
