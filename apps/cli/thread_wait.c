/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_wait.h"

#include <stdlib.h>
#include <unistd.h>

void let_idle_threads_sleep(char **argv) {
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) {
        return;
    }
    /* A few microseconds: some of the gaps between the parallel parts of an operator. Where a core is not
     * free for each thread, one that waits awake keeps the other from its work: the demo model's picture took
     * 0.3 s with ten times as many on a free machine, but 3 to 4 s beside one other process; with these 0.7
     * to 1.0 s there. */
    if (setenv("GOMP_SPINCOUNT", "1000", 1) == 0) {
        execv("/proc/self/exe", argv);
    }
}
