/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/files/output_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"

enum { MOST_LINKS = 40 /* as the kernel follows */ };

pld_status pld_output_path_fail(const char *path, int reason, pld_error *error) {
    static const struct {
        int reason;
        const char *remedy;
    } rows[] = {
        {ENOSPC, "; free some space or choose another folder"},
        {EDQUOT, "; free some space or choose another folder"},
        {EACCES, "; choose a folder that you may write to"},
        {EPERM, "; choose a folder that you may write to"},
        {EROFS, "; choose a folder that you may write to"},
        {ENOENT, "; create the folder first"},
        {ENOTDIR, "; create the folder first"},
        {EFBIG, "; the system limits the size of files"},
        {ENAMETOOLONG, "; choose a shorter name"},
        {ELOOP, "; it is a link that leads back to itself"},
    };
    const char *remedy = "";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        remedy = rows[i].reason == reason ? rows[i].remedy : remedy;
    }
    return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: %s%s", path, strerror(reason), remedy);
}

char *pld_output_path_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? pld_copy_bytes(path, (size_t)(slash - path) + 1) : pld_copy_string("./");
}

char *pld_output_path_temporary(const char *folder) {
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number) {
        struct timespec now = {0};
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        number = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 48;
    }
    return pld_format("%s.pladis-%016llx.part", folder, (unsigned long long)number);
}

char *pld_output_path_absolute(const pld_output_path *found) {
    if (found->descriptor >= 0) {
        return pld_format("/proc/self/fd/%d", found->descriptor);
    }
    char *folder = pld_output_path_folder(found->path);
    char *whole = folder ? realpath(folder, NULL) : NULL;
    const char *slash = strrchr(found->path, '/');
    char *path =
        whole ? pld_format("%s/%s", strcmp(whole, "/") == 0 ? "" : whole, slash ? slash + 1 : found->path)
              : NULL;
    free(whole);
    pld_free(folder);
    return path;
}

/** The descriptor that a path is another name of, or -1. A file behind it is not replaced: who redirects
 *  with >> would lose what stands there. */
static int named_descriptor(const char *path) {
    static const char *const standard[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(path, standard[i]) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const size_t length = strlen(folders[i]);
        const char *digits = path + length;
        if (strncmp(path, folders[i], length) == 0 && *digits && strlen(digits) <= 7 &&
            strspn(digits, "0123456789") == strlen(digits)) {
            int number = 0;
            for (; *digits; digits++) {
                number = number * 10 + (*digits - '0');
            }
            return number;
        }
    }
    return -1;
}

/** What the link at `path` says, seen from the folder of the link; NULL when memory is out. */
static char *read_link(const char *path) {
    char text[PATH_MAX];
    const ssize_t length = readlink(path, text, sizeof text - 1);
    if (length <= 0) {
        return NULL;
    }
    text[length] = 0;
    if (text[0] == '/') {
        return pld_copy_string(text);
    }
    char *folder = pld_output_path_folder(path);
    char *whole = folder ? pld_format("%s%s", folder, text) : NULL;
    pld_free(folder);
    return whole;
}

/** Follow links until something else, or nothing, stands there. */
static pld_status follow_links(const char *path, pld_output_path *found, pld_error *error) {
    struct stat facts;
    found->path = pld_copy_string(path);
    for (int i = 0; found->path && i < MOST_LINKS; i++) {
        found->descriptor = named_descriptor(found->path);
        if (found->descriptor >= 0 || lstat(found->path, &facts) != 0 || !S_ISLNK(facts.st_mode)) {
            return PLD_OK;
        }
        char *next = read_link(found->path);
        pld_free(found->path);
        found->path = next;
    }
    return found->path ? pld_output_path_fail(path, ELOOP, error) : pld_fail_memory(error, PATH_MAX, path);
}

const char *pld_output_path_title(const pld_output_path *found, const char *path) {
    static const char *const titles[] = {"standard input", "standard output", "standard error"};
    return found->descriptor >= 0 && found->descriptor < 3 ? titles[found->descriptor] : path;
}

static pld_status check_descriptor(const char *path, const pld_output_path *found, pld_error *error) {
    const int flags = fcntl(found->descriptor, F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: descriptor %d is not open for writing",
                    pld_output_path_title(found, path), found->descriptor);
}

/** Whether a file is one that no rename replaces: marked so, or mounted by itself as containers do with
 * single files. */
static bool is_fixed(const char *path, const char **why) {
    struct statx facts = {0};
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &facts) != 0) {
        return false;
    }
    const bool mounted = (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    *why = mounted
               ? "mounted by itself and cannot be replaced; mount its folder instead, or choose another name"
               : "marked as immutable; choose another name";
    return mounted || (facts.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

/** Whether a file that is there may be replaced: a rename asks only for the folder's leave. */
static pld_status check_replaced(const char *path, const pld_output_path *found, const struct stat *facts,
                                 pld_error *error) {
    struct stat around;
    const char *why = "";
    if (is_fixed(found->path, &why)) {
        return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: it exists and is %s", path, why);
    }
    if (faccessat(AT_FDCWD, found->path, W_OK, AT_EACCESS) != 0) {
        return pld_fail(error, PLD_ERROR_IO,
                        "%s: cannot be written: it exists and is write-protected (%s); choose another name",
                        path, strerror(errno));
    }
    char *folder = pld_output_path_folder(found->path);
    if (!folder) {
        return pld_fail_memory(error, strlen(path), path);
    }
    const uid_t self = geteuid();
    const bool sticky = stat(folder, &around) == 0 && (around.st_mode & S_ISVTX);
    pld_free(folder);
    if (sticky && self != 0 && facts->st_uid != self && around.st_uid != self) {
        return pld_output_path_fail(path, EPERM, error);
    }
    return PLD_OK;
}

/** What stands at the end of the links. */
static pld_status look(const char *path, pld_output_path *found, pld_error *error) {
    struct stat facts;
    const size_t length = strlen(found->path);
    if (stat(found->path, &facts) != 0) {
        if (errno == ENOENT && length > 0 && found->path[length - 1] == '/') {
            return pld_fail(error, PLD_ERROR_IO,
                            "%s: cannot be written: this is the name of a folder; add a file name", path);
        }
        return errno == ENOENT && length > 0 ? PLD_OK : pld_output_path_fail(path, errno, error);
    }
    found->exists = true;
    found->mode = facts.st_mode & 0777;
    if (S_ISDIR(facts.st_mode)) {
        return pld_fail(error, PLD_ERROR_IO, "%s: cannot be written: it is a folder; add a file name", path);
    }
    found->special = !S_ISREG(facts.st_mode);
    if (!found->special) {
        return check_replaced(path, found, &facts, error);
    }
    return faccessat(AT_FDCWD, found->path, W_OK, AT_EACCESS) == 0 ? PLD_OK
                                                                   : pld_output_path_fail(path, errno, error);
}

pld_status pld_output_path_find(const char *path, pld_output_path *found, pld_error *error) {
    *found = (pld_output_path){.descriptor = -1};
    pld_status status = follow_links(path, found, error);
    if (status == PLD_OK) {
        status = found->descriptor >= 0 ? check_descriptor(path, found, error) : look(path, found, error);
    }
    if (status != PLD_OK) {
        pld_output_path_free(found);
    }
    return status;
}

void pld_output_path_free(pld_output_path *found) {
    pld_free(found->path);
    *found = (pld_output_path){.descriptor = -1};
}
