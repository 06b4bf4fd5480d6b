/* SPDX-License-Identifier: Apache-2.0 */
/** Random names that nobody can guess, and comparisons that tell nothing by the time they take. */
#ifndef PLADIS_SERVER_BASE_SECRETS_H
#define PLADIS_SERVER_BASE_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_NAME = 33 }; /* 128 bits in hexadecimal digits, and a zero byte */

/** A new random name. False: the system gives no random numbers. */
bool secret_name(char name[SECRET_NAME]);

/** Whether two texts are equal; the time depends on neither. */
bool secret_equal(const char *first, size_t first_length, const char *second);

#endif
