/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "io/files/output_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 50 };

ssize_t pld_output_write_quietly(int descriptor, const void *data, size_t bytes) {
    sigset_t raised, before, old;
    sigemptyset(&raised);
    sigaddset(&raised, SIGPIPE);
    sigaddset(&raised, SIGXFSZ);
    sigemptyset(&before);
    (void)sigpending(&before);
    if (pthread_sigmask(SIG_BLOCK, &raised, &old) != 0) {
        return write(descriptor, data, bytes);
    }
    const ssize_t wrote = write(descriptor, data, bytes);
    const int reason = errno;
    const int signals[] = {SIGPIPE, SIGXFSZ};
    for (size_t i = 0; wrote < 0 && i < 2; i++) { /* take back what this write raised, and nothing else */
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, signals[i]);
        if (!sigismember(&before, signals[i])) {
            (void)sigtimedwait(&one, NULL, &(struct timespec){0});
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = reason;
    return wrote;
}

static bool is_cancelled(const volatile int *cancel) {
    return cancel && *cancel;
}

static pld_status fail_cancelled(const char *name, pld_error *error) {
    return pld_fail(error, PLD_ERROR_CANCELLED, "%s: cancelled before everything was written", name);
}

pld_status pld_output_stream_open(const pld_output_path *found, const char *name, const volatile int *cancel,
                                  int *descriptor, pld_error *error) {
    if (found->descriptor >= 0) {
        *descriptor = fcntl(found->descriptor, F_DUPFD_CLOEXEC, 0);
        return *descriptor >= 0 ? PLD_OK : pld_output_path_fail(name, errno, error);
    }
    for (;;) {
        *descriptor = open(found->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (*descriptor >= 0) {
            return PLD_OK;
        }
        const int reason = errno;
        struct stat facts;
        const bool pipe = stat(found->path, &facts) == 0 && S_ISFIFO(facts.st_mode);
        if (reason != EINTR && !(reason == ENXIO && pipe)) {
            return pld_output_path_fail(name, reason, error);
        }
        if (is_cancelled(cancel)) {
            return fail_cancelled(name, error);
        }
        (void)poll(NULL, 0, LOOK_EVERY_MS);
    }
}

pld_status pld_output_stream_write(int descriptor, const char *name, const void *data, size_t bytes,
                                   const volatile int *cancel, pld_error *error) {
    const char *at = data;
    while (bytes > 0) {
        struct pollfd wanted = {.fd = descriptor, .events = POLLOUT};
        const int ready = poll(&wanted, 1, LOOK_EVERY_MS);
        if (is_cancelled(cancel)) {
            return fail_cancelled(name, error);
        }
        if (ready <= 0) {
            continue;
        }
        /* So much goes in without waiting where poll says that there is room. */
        const size_t part = bytes < PIPE_BUF ? bytes : PIPE_BUF;
        const ssize_t wrote = pld_output_write_quietly(descriptor, at, part);
        if (wrote < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (wrote <= 0) {
            return pld_output_path_fail(name, wrote < 0 ? errno : EIO, error);
        }
        at += wrote;
        bytes -= (size_t)wrote;
    }
    return PLD_OK;
}
