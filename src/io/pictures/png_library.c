/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pictures/png_library.h"

#include <stdio.h>
#include <utf8proc.h>

#include "core/memory.h"

void pld_png_raise(png_structp png, png_const_charp message) {
    pld_png_guard *guard = png_get_error_ptr(png);
    snprintf(guard->message, sizeof guard->message, "%s", message);
    png_longjmp(png, 1);
}

void pld_png_ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

png_voidp pld_png_allocate(png_structp png, png_alloc_size_t bytes) {
    pld_png_guard *guard = png_get_mem_ptr(png);
    void *memory = pld_allocate(bytes, 1);
    guard->out_of_memory = guard->out_of_memory || !memory;
    return memory;
}

void pld_png_release(png_structp png, png_voidp memory) {
    (void)png;
    pld_free(memory);
}

pld_status pld_png_failure(const pld_png_guard *guard, pld_status status, const char *what,
                           pld_error *error) {
    if (guard->out_of_memory) {
        return pld_fail(error, PLD_ERROR_MEMORY, "%s: out of memory for the picture", guard->name);
    }
    return pld_fail(error, status, "%s: %s: %s", guard->name, what, guard->message);
}

bool pld_png_is_utf8(const char *text, bool *ascii) {
    const utf8proc_uint8_t *rest = (const utf8proc_uint8_t *)text;
    *ascii = true;
    while (*rest) {
        utf8proc_int32_t code = 0;
        utf8proc_ssize_t used = utf8proc_iterate(rest, -1, &code);
        if (used <= 0) {
            return false;
        }
        *ascii = *ascii && used == 1;
        rest += used;
    }
    return true;
}
