/* SPDX-License-Identifier: Apache-2.0 */
/** How idle threads of the OpenMP pool wait. */
#ifndef PLADIS_CLI_THREAD_WAIT_H
#define PLADIS_CLI_THREAD_WAIT_H

/** Let idle threads sleep after a short spin: start the program anew with GOMP_SPINCOUNT set, unless the user
 * has set it or OMP_WAIT_POLICY. OpenMP reads its environment before main(), so there is no later moment.
 * Returns only when nothing is to be done (or exec is refused, which is no reason to stop).
 *
 *  By default a thread that waits spins for milliseconds. On a machine that is also busy with something else
 * that burns the time slice of the thread that is waited for: the demo model took 33 s instead of 1.7 s. */
void let_idle_threads_sleep(char **argv);

#endif
