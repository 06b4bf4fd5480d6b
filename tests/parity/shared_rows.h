/* SPDX-License-Identifier: Apache-2.0 */
/** A test of parity_denoisers: rows that are computed once while they are equal. */
#ifndef PLD_TESTS_SHARED_ROWS_H
#define PLD_TESTS_SHARED_ROWS_H

void shared_rows(void **state);

#endif
