/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/files/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/files/output_path.h"
#include "io/files/output_stream.h"

struct pld_atomic_file {
    int descriptor;
    char *name; /* as it was asked for, for messages */
    pld_output_path target;
    char *temporary; /* NULL when written directly or without a name */
    bool direct;
    const volatile int *cancel; /* or NULL */
};

enum { NAME_ATTEMPTS = 100, NEW_FILE_MODE = 0666 /* less the umask */, LINK_NAME = 32 };

/** Take a name with `take`, which gives true or sets errno, and keep it as the temporary one. Chance only
 *  keeps writers apart; that the name must not exist is what guarantees it. */
static pld_status take_name(pld_atomic_file *file, const char *folder,
                            bool (*take)(pld_atomic_file *file, const char *name), pld_error *error) {
    int reason = EEXIST;
    for (int attempt = 0; attempt < NAME_ATTEMPTS && reason == EEXIST; attempt++) {
        char *name = pld_output_path_temporary(folder);
        if (!name) {
            return pld_fail_memory(error, strlen(folder), file->name);
        }
        if (take(file, name)) {
            file->temporary = name;
            return PLD_OK;
        }
        reason = errno;
        pld_free(name);
    }
    return pld_output_path_fail(file->name, reason, error);
}

/** What is replaced keeps its permissions. */
static void keep_permissions(const pld_atomic_file *file) {
    if (file->target.exists) {
        (void)fchmod(file->descriptor, file->target.mode);
    }
}

static bool create_named(pld_atomic_file *file, const char *name) {
    file->descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_FILE_MODE);
    if (file->descriptor >= 0) {
        keep_permissions(file);
    }
    return file->descriptor >= 0;
}

/** What the system calls an open file that has no name. */
static void name_of_open(int descriptor, char name[LINK_NAME]) {
    snprintf(name, LINK_NAME, "/proc/self/fd/%d", descriptor);
}

static bool link_nameless(pld_atomic_file *file, const char *name) {
    char open_name[LINK_NAME];
    name_of_open(file->descriptor, open_name);
    return linkat(AT_FDCWD, open_name, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
}

/** Whether a file without a name was made that can be given one later. */
static bool create_nameless(pld_atomic_file *file, const char *folder) {
    char open_name[LINK_NAME];
    file->descriptor = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, NEW_FILE_MODE);
    if (file->descriptor < 0) {
        return false;
    }
    name_of_open(file->descriptor, open_name);
    if (access(open_name, F_OK) == 0) {
        keep_permissions(file);
        return true;
    }
    close(file->descriptor); /* without /proc there is no way to link it */
    file->descriptor = -1;
    return false;
}

static pld_status create_file(pld_atomic_file *file, pld_error *error) {
    char *folder = pld_output_path_folder(file->target.path);
    pld_status status = folder ? PLD_OK : pld_fail_memory(error, strlen(file->name), file->name);
    if (status == PLD_OK && !create_nameless(file, folder)) {
        status = take_name(file, folder, create_named, error);
    }
    pld_free(folder);
    return status;
}

/** A file object for `path`, without a descriptor yet. */
static pld_status prepare(const char *path, const volatile int *cancel, pld_atomic_file **file,
                          pld_error *error) {
    pld_atomic_file *made = pld_allocate(1, sizeof *made);
    *file = NULL;
    if (!made) {
        return pld_fail_memory(error, sizeof *made, path);
    }
    *made = (pld_atomic_file){.descriptor = -1, .target.descriptor = -1, .cancel = cancel};
    pld_status status = pld_output_path_find(path, &made->target, error);
    made->name = status == PLD_OK ? pld_copy_string(pld_output_path_title(&made->target, path)) : NULL;
    if (status == PLD_OK && !made->name) {
        status = pld_fail_memory(error, strlen(path), path);
    }
    if (status != PLD_OK) {
        pld_atomic_file_discard(&made);
        return status;
    }
    made->direct = made->target.special || made->target.descriptor >= 0;
    *file = made;
    return PLD_OK;
}

pld_status pld_atomic_file_open(const char *path, const volatile int *cancel, pld_atomic_file **file,
                                pld_error *error) {
    PLD_TRY(prepare(path, cancel, file, error));
    pld_atomic_file *opened = *file;
    pld_status status = opened->direct ? pld_output_stream_open(&opened->target, opened->name, cancel,
                                                                &opened->descriptor, error)
                                       : create_file(opened, error);
    if (status != PLD_OK) {
        pld_atomic_file_discard(file);
    }
    return status;
}

pld_status pld_atomic_file_check(const char *path, char **target, pld_error *error) {
    pld_atomic_file *file = NULL;
    if (target) {
        *target = NULL;
    }
    PLD_TRY(prepare(path, NULL, &file, error));
    pld_status status = file->direct ? PLD_OK : create_file(file, error);
    if (status == PLD_OK && target) {
        *target = pld_output_path_absolute(&file->target);
        status = *target ? PLD_OK : pld_fail_memory(error, strlen(path), path);
    }
    pld_atomic_file_discard(&file);
    return status;
}

pld_status pld_atomic_file_write(pld_atomic_file *file, const void *data, size_t bytes, pld_error *error) {
    size_t done = 0;
    if (file->direct) {
        return pld_output_stream_write(file->descriptor, file->name, data, bytes, file->cancel, error);
    }
    while (done < bytes) {
        ssize_t wrote = pld_output_write_quietly(file->descriptor, (const char *)data + done, bytes - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return pld_output_path_fail(file->name, wrote < 0 ? errno : EIO, error);
        }
        done += (size_t)wrote;
    }
    return PLD_OK;
}

/** Make the name itself durable. Some file systems refuse this; the file is complete either way. */
static void sync_folder(const char *folder) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
}

/** Copy what was written without a name into a file that has one, where the first cannot be given one
 * after all. */
static pld_status copy_to_named(pld_atomic_file *file, const char *folder, pld_error *error) {
    enum { BLOCK = 1 << 16 };
    const int from = file->descriptor;
    char *block = pld_allocate(BLOCK, 1);
    pld_status status =
        block ? take_name(file, folder, create_named, error) : pld_fail_memory(error, BLOCK, file->name);
    if (status != PLD_OK) {
        file->descriptor = from;
        pld_free(block);
        return status;
    }
    off_t done = 0;
    ssize_t found = 0;
    while (status == PLD_OK && (found = pread(from, block, BLOCK, done)) > 0) {
        status = pld_atomic_file_write(file, block, (size_t)found, error);
        done += found;
    }
    if (status == PLD_OK && (found < 0 || fsync(file->descriptor) != 0)) {
        status = pld_output_path_fail(file->name, errno, error);
    }
    close(from);
    pld_free(block);
    return status;
}

/** Give the finished file its name. */
static pld_status settle(pld_atomic_file *file, const char *folder, pld_error *error) {
    const char *path = file->target.path;
    if (!file->temporary) {
        if (link_nameless(file, path)) {
            return PLD_OK;
        }
        /* What is there is replaced by a rename, which needs a name. */
        if (errno != EEXIST || take_name(file, folder, link_nameless, error) != PLD_OK) {
            PLD_TRY(copy_to_named(file, folder, error));
        }
    }
    if (rename(file->temporary, path) != 0) {
        return pld_output_path_fail(file->name, errno, error);
    }
    pld_free(file->temporary);
    file->temporary = NULL; /* nothing left to remove */
    return PLD_OK;
}

pld_status pld_atomic_file_commit(pld_atomic_file **file, pld_error *error) {
    pld_atomic_file *done = *file;
    char *folder = done->direct ? NULL : pld_output_path_folder(done->target.path);
    pld_status status = PLD_OK;
    if (!done->direct && !folder) {
        status = pld_fail_memory(error, strlen(done->name), done->name);
    } else if (!done->direct && fsync(done->descriptor) != 0) {
        status = pld_output_path_fail(done->name, errno, error);
    } else if (!done->direct) {
        status = settle(done, folder, error);
    }
    int closed = close(done->descriptor);
    done->descriptor = -1;
    if (done->direct && closed != 0) {
        status = pld_output_path_fail(done->name, errno, error);
    }
    if (status == PLD_OK && folder) {
        sync_folder(folder);
    }
    pld_free(folder);
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
    pld_free(discarded->name);
    pld_output_path_free(&discarded->target);
    pld_free(discarded);
}

pld_status pld_atomic_file_save(const char *path, const void *data, size_t bytes, const volatile int *cancel,
                                pld_error *error) {
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, cancel, &file, error));
    pld_status status = pld_atomic_file_write(file, data, bytes, error);
    if (status == PLD_OK) {
        status = pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}
