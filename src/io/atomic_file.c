/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

struct pld_atomic_file {
    int descriptor;
    char *path;      /* the final name, symbolic links followed */
    char *temporary; /* NULL when written directly */
};

enum { NAME_ATTEMPTS = 100, NEW_FILE_MODE = 0666 /* less the umask */ };

/** PLD_ERROR_IO with the reason and, where one is known, the remedy. */
static pld_status fail_write(const char *path, int reason, pld_error *error) {
    const char *remedy = "";
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        remedy = "; free some space or choose another folder";
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        remedy = "; choose a folder that you may write to";
        break;
    case ENOENT:
    case ENOTDIR:
        remedy = "; create the folder first";
        break;
    case EFBIG:
        remedy = "; the system limits the size of files";
        break;
    default:
        break;
    }
    return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: %s%s", path, strerror(reason), remedy);
}

/** Create "PATH.PID-N.part" beside the target, which must not exist yet. Pid and attempt only keep programs
 *  apart; O_EXCL is what guarantees it. */
static pld_status create_temporary(pld_atomic_file *file, pld_error *error) {
    for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        file->temporary = pld_format("%s.%ld-%d.part", file->path, (long)getpid(), attempt);
        if (!file->temporary) {
            return pld_fail_memory(error, strlen(file->path), file->path);
        }
        file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_FILE_MODE);
        if (file->descriptor >= 0) {
            return PLD_OK;
        }
        int reason = errno;
        pld_free(file->temporary);
        file->temporary = NULL;
        if (reason != EEXIST) {
            return fail_write(file->path, reason, error);
        }
    }
    return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: all temporary names beside it are taken",
                    file->path);
}

/** Where `path` leads: a link is followed so that the rename replaces its target and not the link. */
static char *follow_links(const char *path) {
    struct stat facts;
    if (lstat(path, &facts) == 0 && S_ISLNK(facts.st_mode)) {
        char *resolved = realpath(path, NULL);
        if (resolved) {
            char *copy = pld_copy_string(resolved);
            free(resolved);
            return copy;
        }
    }
    return pld_copy_string(path);
}

static pld_status open_target(pld_atomic_file *file, const char *path, pld_error *error) {
    file->path = follow_links(path);
    if (!file->path) {
        return pld_fail_memory(error, strlen(path), path);
    }
    struct stat facts;
    bool exists = stat(file->path, &facts) == 0;
    if (exists && S_ISDIR(facts.st_mode)) {
        return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: it is a folder; add a file name", path);
    }
    if (exists && !S_ISREG(facts.st_mode)) {
        file->descriptor = open(file->path, O_WRONLY | O_CLOEXEC);
        return file->descriptor >= 0 ? PLD_OK : fail_write(path, errno, error);
    }
    return create_temporary(file, error);
}

pld_status pld_atomic_file_open(const char *path, pld_atomic_file **file, pld_error *error) {
    *file = NULL;
    pld_atomic_file *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    opened->descriptor = -1;
    pld_status status = open_target(opened, path, error);
    if (status != PLD_OK) {
        pld_atomic_file_discard(&opened);
        return status;
    }
    *file = opened;
    return PLD_OK;
}

pld_status pld_atomic_file_write(pld_atomic_file *file, const void *data, size_t bytes, pld_error *error) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t wrote = write(file->descriptor, (const char *)data + done, bytes - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return fail_write(file->path, wrote < 0 ? errno : EIO, error);
        }
        done += (size_t)wrote;
    }
    return PLD_OK;
}

/** Make the rename itself durable. Some file systems refuse this; the file is complete either way. */
static void sync_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? pld_copy_bytes(path, (size_t)(slash - path) + 1) : pld_copy_string(".");
    int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
    pld_free(folder);
}

pld_status pld_atomic_file_commit(pld_atomic_file **file, pld_error *error) {
    pld_atomic_file *done = *file;
    pld_status status = PLD_OK;
    if (done->temporary && fsync(done->descriptor) != 0) {
        status = fail_write(done->path, errno, error);
    }
    int closed = close(done->descriptor);
    done->descriptor = -1;
    if (status == PLD_OK && closed != 0) {
        status = fail_write(done->path, errno, error);
    }
    if (status == PLD_OK && done->temporary) {
        if (rename(done->temporary, done->path) != 0) {
            status = fail_write(done->path, errno, error);
        } else {
            sync_folder(done->path);
            pld_free(done->temporary);
            done->temporary = NULL; /* nothing left to remove */
        }
    }
    pld_atomic_file_discard(file);
    return status;
}

void pld_atomic_file_discard(pld_atomic_file **file) {
    pld_atomic_file *discarded = *file;
    *file = NULL;
    if (!discarded) {
        return;
    }
    if (discarded->descriptor >= 0) {
        close(discarded->descriptor);
    }
    if (discarded->temporary) {
        unlink(discarded->temporary);
    }
    pld_free(discarded->temporary);
    pld_free(discarded->path);
    pld_free(discarded);
}

pld_status pld_atomic_file_save(const char *path, const void *data, size_t bytes, pld_error *error) {
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, &file, error));
    pld_status status = pld_atomic_file_write(file, data, bytes, error);
    if (status == PLD_OK) {
        status = pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}
