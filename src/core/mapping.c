/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "core/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

struct pld_mapping {
    int descriptor;
    uint64_t size;
    struct timespec changed; /* the file's contents, when it was opened */
    uint8_t *data;           /* NULL until asked for */
    char *path;
};

/** Open `path` and find its size. On failure the descriptor is left to pld_mapping_close. */
static pld_status open_regular_file(pld_mapping *mapping, const char *path, pld_error *error) {
    /* O_NONBLOCK: a pipe of this name must not hang the program */
    mapping->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (mapping->descriptor < 0) {
        return pld_fail(error, errno == ENOENT ? PLD_ERROR_MISSING : PLD_ERROR_IO, "%s: cannot be opened: %s",
                        path, strerror(errno));
    }
    struct stat facts;
    if (fstat(mapping->descriptor, &facts) != 0) {
        return pld_fail(error, PLD_ERROR_IO, "%s: cannot be examined: %s", path, strerror(errno));
    }
    if (!S_ISREG(facts.st_mode)) {
        return pld_fail(error, PLD_ERROR_IO, "%s: expected a file, found %s", path,
                        S_ISDIR(facts.st_mode) ? "a folder" : "a device or pipe");
    }
    mapping->size = (uint64_t)facts.st_size;
    mapping->changed = facts.st_mtim;
    return PLD_OK;
}

pld_status pld_mapping_open(const char *path, pld_mapping **mapping, pld_error *error) {
    *mapping = NULL;
    pld_mapping *opened = pld_allocate(1, sizeof *opened);
    if (!opened) {
        return pld_fail_memory(error, sizeof *opened, path);
    }
    opened->descriptor = -1;
    opened->path = pld_copy_string(path);
    pld_status status =
        opened->path ? open_regular_file(opened, path, error) : pld_fail_memory(error, strlen(path), path);
    if (status != PLD_OK) {
        pld_mapping_close(&opened);
        return status;
    }
    *mapping = opened;
    return PLD_OK;
}

void pld_mapping_close(pld_mapping **mapping) {
    pld_mapping *closed = *mapping;
    *mapping = NULL;
    if (!closed) {
        return;
    }
    if (closed->data) {
        munmap(closed->data, (size_t)closed->size);
    }
    if (closed->descriptor >= 0) {
        close(closed->descriptor);
    }
    pld_free(closed->path);
    pld_free(closed);
}

const char *pld_mapping_path(const pld_mapping *mapping) {
    return mapping->path;
}

uint64_t pld_mapping_size(const pld_mapping *mapping) {
    return mapping->size;
}

pld_status pld_mapping_read(const pld_mapping *mapping, uint64_t offset, size_t bytes, void *destination,
                            const char *what, pld_error *error) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t got =
            pread(mapping->descriptor, (char *)destination + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pld_fail(error, PLD_ERROR_IO, "%s: %s cannot be read at byte %" PRIu64 ": %s",
                            mapping->path, what ? what : "data", offset + done, strerror(errno));
        }
        if (got == 0) {
            return pld_fail(error, PLD_ERROR_IO,
                            "%s: %s: expected %zu bytes from byte %" PRIu64
                            ", found %zu; the file was cut short while in use: restore it and run again",
                            mapping->path, what ? what : "data", bytes, offset, done);
        }
        done += (size_t)got;
    }
    return PLD_OK;
}

pld_status pld_mapping_check(const pld_mapping *mapping, const char *what, pld_error *error) {
    struct stat facts;
    if (fstat(mapping->descriptor, &facts) != 0) {
        return pld_fail(error, PLD_ERROR_IO, "%s: cannot be examined: %s", mapping->path, strerror(errno));
    }
    if ((uint64_t)facts.st_size != mapping->size) {
        return pld_fail(error, PLD_ERROR_IO,
                        "%s: %s: expected a file of %" PRIu64 " bytes, as it was opened, found %" PRIu64
                        "; the file was changed while in use: restore it and run again",
                        mapping->path, what ? what : "data", mapping->size, (uint64_t)facts.st_size);
    }
    if (facts.st_mtim.tv_sec != mapping->changed.tv_sec ||
        facts.st_mtim.tv_nsec != mapping->changed.tv_nsec) {
        return pld_fail(error, PLD_ERROR_IO,
                        "%s: %s: expected the file as it was opened, found one that was written since; let "
                        "nothing change it while it is in use, and run again",
                        mapping->path, what ? what : "data");
    }
    return PLD_OK;
}

void pld_mapping_expect(const pld_mapping *mapping, uint64_t offset, uint64_t bytes) {
    /* only advice: a refusal costs time, not correctness */
    (void)posix_fadvise(mapping->descriptor, (off_t)offset, (off_t)bytes, POSIX_FADV_WILLNEED);
}

pld_status pld_mapping_data(pld_mapping *mapping, const uint8_t **data, pld_error *error) {
    if (!mapping->data && mapping->size > 0) {
        void *mapped = mapping->size > SIZE_MAX ? MAP_FAILED
                                                : mmap(NULL, (size_t)mapping->size, PROT_READ, MAP_PRIVATE,
                                                       mapping->descriptor, 0);
        if (mapped == MAP_FAILED) {
            return pld_fail(error, PLD_ERROR_IO, "%s: cannot be mapped: %s", mapping->path, strerror(errno));
        }
        mapping->data = mapped;
    }
    *data = mapping->data;
    return PLD_OK;
}

void pld_mapping_drop(const pld_mapping *mapping, uint64_t offset, uint64_t bytes) {
    if (!mapping->data || offset > mapping->size || bytes > mapping->size - offset) {
        return;
    }
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t begin = (offset + page - 1) / page * page;
    uint64_t end = (offset + bytes) / page * page;
    if (begin < end) {
        /* only advice: a refusal costs memory, not correctness */
        (void)madvise(mapping->data + begin, (size_t)(end - begin), MADV_DONTNEED);
    }
}
