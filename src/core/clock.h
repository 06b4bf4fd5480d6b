/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLD_CORE_CLOCK_H
#define PLD_CORE_CLOCK_H

/** Seconds of a steady clock. */
double pld_seconds(void);

#endif
