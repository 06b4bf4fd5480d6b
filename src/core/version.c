/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

const char *pld_version(void) {
    return PLADIS_VERSION_STRING;
}

int pld_version_number(void) {
    return PLADIS_VERSION_NUMBER;
}

pld_status pld_version_check(int number, pld_error *error) {
    return number <= PLADIS_VERSION_NUMBER
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "libpladis: expected version %d.%d.%d or later, found %s; install a newer library",
                          number / 1000000, number / 1000 % 1000, number % 1000, PLADIS_VERSION_STRING);
}
