/* SPDX-License-Identifier: Apache-2.0 */
/** What png_read.c and png_write.c share: libpng's memory and errors led into ours. */
#ifndef PLD_IO_PICTURES_PNG_LIBRARY_H
#define PLD_IO_PICTURES_PNG_LIBRARY_H

#include <png.h>
#include <stdbool.h>

#include "core/status.h"

/** Handed to libpng as error and memory pointer. */
typedef struct pld_png_guard {
    const char *name; /* of the file, for messages */
    bool out_of_memory;
    char message[160]; /* of libpng, once it has failed */
} pld_png_guard;

/** libpng's error callback: keeps the message and jumps to the png_jmpbuf that the caller has set. */
void pld_png_raise(png_structp png, png_const_charp message) __attribute__((noreturn));

/** libpng's warning callback: drops the message. */
void pld_png_ignore(png_structp png, png_const_charp message);

png_voidp pld_png_allocate(png_structp png, png_alloc_size_t bytes);
void pld_png_release(png_structp png, png_voidp memory);

/** The pld_error for what `guard` has caught; `what` is "damaged PNG" or the like. */
pld_status pld_png_failure(const pld_png_guard *guard, pld_status status, const char *what, pld_error *error);

/** Whether `text` is UTF-8; `*ascii` tells whether it is so without any character beyond ASCII. */
bool pld_png_is_utf8(const char *text, bool *ascii);

#endif
