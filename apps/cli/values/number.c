/* SPDX-License-Identifier: Apache-2.0 */
#include "values/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool number_integer(const char *text, int64_t *value) {
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    *value = parsed;
    return errno == 0;
}

bool number_pair(const char *text, char separator, int64_t least, int64_t most, int64_t pair[2]) {
    char first[24];
    const char *middle = strchr(text, separator);
    if (middle == NULL || (size_t)(middle - text) >= sizeof first) {
        return false;
    }
    memcpy(first, text, (size_t)(middle - text));
    first[middle - text] = '\0';
    return number_integer(first, &pair[0]) && number_integer(middle + 1, &pair[1]) && pair[0] >= least &&
           pair[1] >= least && pair[0] <= most && pair[1] <= most;
}

bool number_real(const char *text, double *value) {
    if (*text == '\0' || strspn(text, "0123456789.eE+-") != strlen(text)) {
        return false;
    }
    char *end = NULL;
    *value = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(*value);
}

void number_shortest(double value, char text[NUMBER_TEXT]) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, NUMBER_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            return;
        }
    }
}
