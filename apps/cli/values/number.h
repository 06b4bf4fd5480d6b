/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers from text, whole and finite or not at all. */
#ifndef PLADIS_CLI_VALUES_NUMBER_H
#define PLADIS_CLI_VALUES_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A decimal integer filling the whole text. */
bool number_integer(const char *text, int64_t *value);

/** Two integers from `least` to `most` with `separator` between, "1024x768". */
bool number_pair(const char *text, char separator, int64_t least, int64_t most, int64_t pair[2]);

/** A finite decimal number filling the whole text: no NaN, infinity, hexadecimal or blanks. */
bool number_real(const char *text, double *value);

enum { NUMBER_TEXT = 32 };

/** The shortest decimal that reads back as the same number. */
void number_shortest(double value, char text[NUMBER_TEXT]);

#endif
