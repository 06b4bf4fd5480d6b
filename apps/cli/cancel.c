/* SPDX-License-Identifier: Apache-2.0 */
#include "cancel.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "message.h"

static volatile int cancelled;
static volatile sig_atomic_t guarded; /* files that are being written, one inside the other */

static void on_signal(int number) {
    (void)number;
    if (cancelled && !guarded) {
        _exit(EXIT_CANCELLED);
    }
    cancelled = 1;
}

void cancel_install(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU};
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        bool kept =
            signals[i] == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
        if (!kept) {
            sigaction(signals[i], &action, NULL);
        }
    }
}

const volatile int *cancel_flag(void) {
    return &cancelled;
}

void cancel_guard_begin(void) {
    guarded = guarded + 1;
}

void cancel_guard_end(void) {
    guarded = guarded - 1;
}
