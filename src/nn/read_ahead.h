/* SPDX-License-Identifier: Apache-2.0 */
/** Makes the streamed stretches of a plan (nn/stretches.h) while its operators compute: a thread of its own, and one
 * piece of memory in which stretches lie behind each other, from the end on at the beginning again.
 *
 *      | in use | made | made | being made |            |        operators take from the left, in order,
 *      ^ given back next                    ^ next       wraps    and a stretch is given back behind its operator
 *
 *  The order of operators is the same in every run of a plan, so behind the last streamed stretch comes the first one again,
 * for the next run. Several plans of one session use it in turn; whoever begins while it works for another starts it anew.
 * One thread at a time may call these functions. Without a thread (the system may refuse one) a stretch is made when it is taken.
 */
#ifndef PLD_NN_READ_AHEAD_H
#define PLD_NN_READ_AHEAD_H

#include "nn/stretches.h"

typedef struct pld_read_ahead pld_read_ahead;

/** Its memory is that of `backend`, which outlives it. */
pld_status pld_read_ahead_create(const pld_weight_backend *backend, pld_read_ahead **read_ahead,
                                 pld_error *error);
/** Waits for the stretch that is being made; NULL is accepted. */
void pld_read_ahead_destroy(pld_read_ahead **read_ahead);

/** Get memory of at least `bytes`, and write it once: so it counts as this process's from now on. What was in it is lost. */
pld_status pld_read_ahead_reserve(pld_read_ahead *read_ahead, size_t bytes, pld_error *error);

/** Free the memory. */
void pld_read_ahead_rest(pld_read_ahead *read_ahead);

/** Bytes of its memory. */
size_t pld_read_ahead_bytes(const pld_read_ahead *read_ahead);

/** A run with these stretches begins, which were settled: begin to make them, or go on where it has begun for it already. */
pld_status pld_read_ahead_begin(pld_read_ahead *read_ahead, pld_stretches *stretches, pld_error *error);

/** Wait for the next streamed stretch of the run and put it in its place; the one before has been given back. Whatever went
 * wrong while it was made comes out here. PLD_ERROR_CANCELLED when *cancel (may be NULL) becomes non-zero. */
pld_status pld_read_ahead_take(pld_read_ahead *read_ahead, const volatile int *cancel, pld_error *error);

/** Give back the stretch that was taken last: its place is empty again. */
void pld_read_ahead_give(pld_read_ahead *read_ahead);

/** No more of these stretches, which are about to be freed. NULL for `read_ahead` is accepted. */
void pld_read_ahead_leave(pld_read_ahead *read_ahead, const pld_stretches *stretches);

/** Seconds that takers have waited so far. */
double pld_read_ahead_waited(const pld_read_ahead *read_ahead);

#endif
