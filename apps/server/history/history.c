/* SPDX-License-Identifier: Apache-2.0 */
#include "history/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <pladis/pladis.h>

enum { LARGEST = 256 << 20 };

typedef char entry_name[HISTORY_NAME];

struct history {
    char folder[PATH_MAX]; /* "": nothing is kept */
    pthread_mutex_t mutex; /* guards all below */
    entry_name *names;     /* [count], the oldest first */
    size_t count, room;
};

static pld_status fail(pld_error *error, pld_status status, const char *what, const char *name) {
    error->status = status;
    snprintf(error->message, sizeof error->message, "%.600s: %.300s", name, what);
    pld_make_printable(error->message);
    return status;
}

/** Names are 20261231-235959-0123abcd-1.png: a time, the beginning of a job's id, a number. Nothing else is looked at, written,
 *  given away or removed. */
static bool is_name(const char *name) {
    static const char form[] = "00000000-000000-xxxxxxxx-";
    const size_t length = strlen(name);
    if (length < sizeof form + 4 || length >= HISTORY_NAME || strcmp(name + length - 4, ".png") != 0) {
        return false;
    }
    for (size_t i = 0; i < length - 4; i++) {
        const char c = name[i];
        const bool digit = c >= '0' && c <= '9';
        const bool fits = i >= sizeof form - 1 ? digit
                          : form[i] == '-'     ? c == '-'
                          : form[i] == 'x'     ? digit || (c >= 'a' && c <= 'f')
                                               : digit;
        if (!fits) {
            return false;
        }
    }
    return true;
}

static int by_name(const void *first, const void *second) {
    return strcmp(first, second);
}

/** Add a name behind all others; the mutex is held, or nobody knows of it yet. */
static bool add_name(history *changed, const char *name) {
    if (changed->count == changed->room) {
        const size_t room = changed->room > 0 ? 2 * changed->room : 64;
        entry_name *names = realloc(changed->names, room * sizeof *names);
        if (names == NULL) {
            return false;
        }
        changed->names = names;
        changed->room = room;
    }
    snprintf(changed->names[changed->count++], HISTORY_NAME, "%s", name);
    return true;
}

static bool entry_path(const history *asked, const char *name, char path[PATH_MAX]) {
    const int length = snprintf(path, PATH_MAX, "%s/%s", asked->folder, name);
    return length > 0 && length < PATH_MAX;
}

/** Make a folder and those above it that are missing. */
static bool make_folder(const char *folder) {
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%s", folder);
    if (length <= 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            if (mkdir(path, 0777) != 0 && errno != EEXIST) {
                return false;
            }
            *at = '/';
        }
    }
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static pld_status read_folder(history *opened, pld_error *error) {
    DIR *folder = opendir(opened->folder);
    if (folder == NULL) {
        return fail(error, PLD_ERROR_IO, strerror(errno), opened->folder);
    }
    bool done = true;
    for (struct dirent *entry = NULL; done && (entry = readdir(folder)) != NULL;) {
        done = !is_name(entry->d_name) || add_name(opened, entry->d_name);
    }
    closedir(folder);
    if (opened->count > 0) {
        qsort(opened->names, opened->count, sizeof *opened->names, by_name);
    }
    return done ? PLD_OK : fail(error, PLD_ERROR_MEMORY, "out of memory for its list", opened->folder);
}

pld_status history_open(const char *folder, history **opened, pld_error *error) {
    history *made = calloc(1, sizeof *made);
    *opened = made;
    if (made == NULL) {
        return fail(error, PLD_ERROR_MEMORY, "out of memory", "history");
    }
    pthread_mutex_init(&made->mutex, NULL);
    if (folder == NULL) {
        return PLD_OK;
    }
    pld_status status = PLD_OK;
    if (!make_folder(folder)) {
        status = fail(error, PLD_ERROR_IO, strerror(errno), folder);
    } else {
        snprintf(made->folder, sizeof made->folder, "%s", folder);
        status = access(folder, W_OK | X_OK) == 0 ? read_folder(made, error)
                                                  : fail(error, PLD_ERROR_IO, strerror(errno), folder);
    }
    if (status != PLD_OK) {
        history_close(opened);
    }
    return status;
}

void history_close(history **closed) {
    if (*closed != NULL) {
        pthread_mutex_destroy(&(*closed)->mutex);
        free((*closed)->names);
        free(*closed);
        *closed = NULL;
    }
}

bool history_is_kept(const history *asked) {
    return asked->folder[0] != '\0';
}

/** Remove the oldest until there is room for one; the mutex is held. */
static void bound(history *changed) {
    while (changed->count >= HISTORY_MOST) {
        char path[PATH_MAX];
        if (entry_path(changed, changed->names[0], path)) {
            unlink(path);
        }
        memmove(changed->names, changed->names + 1, --changed->count * sizeof *changed->names);
    }
}

pld_status history_add(history *changed, const void *png, size_t size, const char *job, int number,
                       char name[HISTORY_NAME], pld_error *error) {
    char path[PATH_MAX], moment[32];
    const time_t now = time(NULL);
    struct tm parts;
    name[0] = '\0';
    if (!history_is_kept(changed)) {
        return PLD_OK;
    }
    if (gmtime_r(&now, &parts) == NULL || strftime(moment, sizeof moment, "%Y%m%d-%H%M%S", &parts) == 0) {
        return fail(error, PLD_ERROR_INTERNAL, "the clock is wrong", changed->folder);
    }
    char made[HISTORY_NAME];
    snprintf(made, sizeof made, "%s-%.8s-%d.png", moment, job, number);
    if (!entry_path(changed, made, path)) {
        return fail(error, PLD_ERROR_IO, "the name is too long", changed->folder);
    }
    const pld_status status = pld_bytes_write(png, size, path, NULL, error);
    if (status != PLD_OK) {
        return status;
    }
    pthread_mutex_lock(&changed->mutex);
    bound(changed);
    const bool added = add_name(changed, made);
    pthread_mutex_unlock(&changed->mutex);
    if (added) {
        memcpy(name, made, sizeof made);
    }
    return PLD_OK;
}

/** Where `name` stands in the list; `count`: nowhere. The mutex is held. */
static size_t find_name(const history *asked, const char *name) {
    size_t at = 0;
    while (at < asked->count && strcmp(asked->names[at], name) != 0) {
        at++;
    }
    return at;
}

static bool is_listed(history *asked, const char *name) {
    pthread_mutex_lock(&asked->mutex);
    const bool listed = find_name(asked, name) < asked->count;
    pthread_mutex_unlock(&asked->mutex);
    return listed;
}

/** All bytes of a file that is not too large. */
static uint8_t *read_whole(const char *path, size_t *size) {
    struct stat status;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *bytes = NULL;
    if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        status.st_size <= LARGEST) {
        bytes = malloc((size_t)status.st_size);
        *size = (size_t)status.st_size;
    }
    for (size_t done = 0; bytes != NULL && done < *size;) {
        const ssize_t got = read(file, bytes + done, *size - done);
        if (got <= 0) {
            free(bytes);
            bytes = NULL;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    if (file >= 0) {
        close(file);
    }
    return bytes;
}

pld_status history_read(history *asked, const char *name, uint8_t **png, size_t *size, pld_error *error) {
    char path[PATH_MAX];
    if (!is_listed(asked, name) || !entry_path(asked, name, path)) {
        return fail(error, PLD_ERROR_MISSING, "there is no such picture", "history");
    }
    *png = read_whole(path, size);
    return *png != NULL ? PLD_OK
                        : fail(error, PLD_ERROR_MISSING, "the picture cannot be read any more", name);
}

pld_status history_remove(history *changed, const char *name, pld_error *error) {
    char path[PATH_MAX];
    pthread_mutex_lock(&changed->mutex);
    const size_t at = find_name(changed, name);
    const bool found = at < changed->count && entry_path(changed, name, path);
    if (found) {
        memmove(changed->names + at, changed->names + at + 1,
                (changed->count - at - 1) * sizeof *changed->names);
        changed->count--;
    }
    pthread_mutex_unlock(&changed->mutex);
    if (!found) {
        return fail(error, PLD_ERROR_MISSING, "there is no such picture", "history");
    }
    return unlink(path) == 0 || errno == ENOENT ? PLD_OK : fail(error, PLD_ERROR_IO, strerror(errno), name);
}

json_t *history_list(history *asked, const char *before, size_t most) {
    reply_builder builder = {0};
    json_t *list = json_array();
    pthread_mutex_lock(&asked->mutex);
    for (size_t i = asked->count; i-- > 0 && json_array_size(list) < most;) {
        if (before[0] == '\0' || strcmp(asked->names[i], before) < 0) {
            reply_append(&builder, list, json_string(asked->names[i]));
        }
    }
    pthread_mutex_unlock(&asked->mutex);
    return reply_finish(&builder, list);
}

size_t history_count(history *asked) {
    pthread_mutex_lock(&asked->mutex);
    const size_t count = asked->count;
    pthread_mutex_unlock(&asked->mutex);
    return count;
}
