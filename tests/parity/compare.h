/* SPDX-License-Identifier: Apache-2.0 */
/** How results are compared with what diffusers computed, and the report of it. */
#ifndef PLD_TESTS_COMPARE_H
#define PLD_TESTS_COMPARE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pladis/status.h"

/** ‖a − b‖ / ‖b‖ in double. */
double relative_error(const float *a, const float *b, size_t count);

/** Fail with a message unless error <= tolerance; prints a row of the table of errors either way. */
void check_error(const char *what, const char *tensor, double error, double tolerance);

/** Print how many errors were compared and which came nearest to its tolerance. */
void report_errors(void);

/** Fail the test with the message when status is not PLD_OK. */
void check_status(pld_status status, const pld_error *error);

#endif
