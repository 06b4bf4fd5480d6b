/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal/cancel.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "terminal/message.h"

/* Written by the handler in whichever thread it runs, and by threads that work. */
static volatile int cancelled;
static volatile int guarded; /* files that are being written, one inside the other */

bool cancel_requested(void) {
    return __atomic_load_n(&cancelled, __ATOMIC_RELAXED);
}

static void on_signal(int number) {
    (void)number;
    if (cancel_requested() && !__atomic_load_n(&guarded, __ATOMIC_RELAXED)) {
        _exit(EXIT_CANCELLED);
    }
    __atomic_store_n(&cancelled, 1, __ATOMIC_RELAXED);
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
    __atomic_add_fetch(&guarded, 1, __ATOMIC_RELAXED);
}

void cancel_guard_end(void) {
    __atomic_sub_fetch(&guarded, 1, __ATOMIC_RELAXED);
}
