/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sized.h"

#include <string.h>

#include "pladis/version.h"

/** More is no struct but memory that nobody has filled. */
enum { MOST_BYTES = 1 << 16 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t size_of(const void *sized) {
    size_t size;
    memcpy(&size, sized, sizeof size);
    return size;
}

void pld_sized_init(void *options, size_t struct_size, const void *defaults, size_t size) {
    if (!options || struct_size < sizeof struct_size) {
        return;
    }
    memset(options, 0, struct_size);
    memcpy(options, defaults, smaller(struct_size, size));
    memcpy(options, &struct_size, sizeof struct_size);
}

size_t pld_sized_size(const void *sized) {
    const size_t size = size_of(sized);
    return size >= sizeof size && size <= MOST_BYTES && size % sizeof size == 0 ? size : 0;
}

pld_status pld_sized_check(const char *name, const void *result, pld_error *error) {
    return pld_sized_size(result)
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_ARGUMENT,
                          "%s: expected its size in struct_size, found %zu; set it to sizeof(%s), which "
                          "%s_init does where there is one",
                          name, size_of(result), name, name);
}

pld_status pld_sized_read(const char *name, const void *given, const void *defaults, size_t size, void *full,
                          pld_error *error) {
    memcpy(full, defaults, size);
    if (given) {
        PLD_TRY(pld_sized_check(name, given, error));
        const unsigned char *bytes = given;
        for (size_t i = size; i < size_of(given); i++) {
            if (bytes[i]) {
                return pld_fail(
                    error, PLD_ERROR_UNSUPPORTED,
                    "%s: a field at byte %zu is set, which version %s of the library does not know; "
                    "leave it as the init function set it, or use a newer library",
                    name, i, PLADIS_VERSION_STRING);
            }
        }
        memcpy(full, given, smaller(size_of(given), size));
    }
    memcpy(full, &size, sizeof size);
    return PLD_OK;
}

void pld_sized_write(void *result, const void *full, size_t size) {
    const size_t room = size_of(result);
    memset(result, 0, room);
    memcpy(result, full, smaller(room, size));
    memcpy(result, &room, sizeof room);
}
