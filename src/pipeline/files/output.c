/* SPDX-License-Identifier: Apache-2.0 */
/* Files for those who make their bytes themselves. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "io/files/atomic_file.h"
#include "pipeline/model/model.h"

pld_status pld_bytes_write(const void *bytes, size_t size, const char *path, const volatile int *cancel,
                           pld_error *error) {
    return pld_atomic_file_save(path, bytes, size, cancel, error);
}

pld_status pld_output_check(const char *path, char *target, size_t size, pld_error *error) {
    char *found = NULL;
    PLD_TRY(pld_atomic_file_check(path, target ? &found : NULL, error));
    pld_status status = PLD_OK;
    if (target && strlen(found) >= size) {
        status = pld_fail(error, PLD_ERROR_ARGUMENT,
                          "%s: expected room for %zu bytes of its absolute path, found %zu", path,
                          strlen(found) + 1, size);
    } else if (target) {
        memcpy(target, found, strlen(found) + 1);
    }
    pld_free(found);
    return status;
}
