/* SPDX-License-Identifier: Apache-2.0 */
/** @file status.h
 *  Status codes and error detail of every libpladis function.
 *
 *  A function that can fail returns a pld_status and writes what a person needs to know (file, tensor or
 *  option, what was expected, what was found, the remedy) into an optional pld_error of the caller.
 *
 *  Structs grow. Later versions of the library append fields to them, and programs that were built with
 *  other headers of the same major version of the shared library go on running:
 *
 *  - Every struct begins with `struct_size`, except pld_error and pld_image, which stay as they are for good.
 *  - Options are the caller's. `pld_X_init(&x, sizeof x)` sets struct_size to what it is given and all that it
 *    covers to defaults, and writes no further. A smaller struct than the library's is read as if the fields
 *    that it lacks had their defaults. A larger one is read where all that the library does not know is zero,
 *    else refused with PLD_ERROR_UNSUPPORTED. NULL in the place of options means all defaults.
 *  - Results that the caller provides have struct_size set by him: `pld_report report = {.struct_size = sizeof
 *    report}`. The library fills what it covers, writes no further, and leaves struct_size as it is; what the
 *    library does not know becomes zero.
 *  - What the library provides comes behind pointers, with struct_size set by the library: a field that it
 *    does not cover is one that an older library lacks. There are no arrays of structs but arrays of pointers
 *    to them; figures of a list that lies inside a result have an array each.
 *
 *  pld_version_check tells whether the library that was loaded has all that a header names.
 */
#ifndef PLADIS_STATUS_H
#define PLADIS_STATUS_H

#include "pladis/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PLD_API                 __attribute__((visibility("default")))
#define PLD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define PLD_API
#define PLD_PRINTF(text, first)
#endif

/** The one list of codes: X(name, value, text). */
#define PLD_STATUS_LIST(X)                                                                                   \
    X(PLD_OK, 0, "ok")                                                                                       \
    X(PLD_ERROR_ARGUMENT, 1, "invalid argument")                                                             \
    X(PLD_ERROR_MEMORY, 2, "out of memory")                                                                  \
    X(PLD_ERROR_IO, 3, "file cannot be read or written")                                                     \
    X(PLD_ERROR_FORMAT, 4, "malformed file")                                                                 \
    X(PLD_ERROR_UNSUPPORTED, 5, "not supported")                                                             \
    X(PLD_ERROR_MISSING, 6, "not found")                                                                     \
    X(PLD_ERROR_NUMERIC, 7, "not a number")                                                                  \
    X(PLD_ERROR_CANCELLED, 8, "cancelled")                                                                   \
    X(PLD_ERROR_INTERNAL, 9, "internal error")

typedef enum pld_status {
#define PLD_STATUS_ENUM(name, value, text) name = (value),
    PLD_STATUS_LIST(PLD_STATUS_ENUM)
#undef PLD_STATUS_ENUM
} pld_status;

enum { PLD_ERROR_MESSAGE_SIZE = 1024 };

/** Detail of the last failure. The caller owns it, one for each thread that calls; every function accepts NULL
 *  in its place. It is set on failure only, unless a function says otherwise. */
typedef struct pld_error {
    pld_status status;
    char message[PLD_ERROR_MESSAGE_SIZE]; /**< one line, UTF-8, no trailing newline */
} pld_error;

/** Weight of a log message, the weightiest first. */
typedef enum pld_log_level {
    PLD_LOG_WARNING, /**< something the user asked for has no effect, or looks wrong */
    PLD_LOG_NOTICE,  /**< a choice made for the user */
    PLD_LOG_DETAIL   /**< what happens, for those who ask */
} pld_log_level;

/** Make `text`, a line from a stranger (the name of a file or tensor, a tag), fit for a terminal, in place: a
 * tab or end of line becomes a blank; another control character (C0, DEL, C1), a control of writing direction
 * and each byte that is not UTF-8 becomes "?". Messages of pld_error and of the log have been through it. */
PLD_API void pld_make_printable(char *text);

/** A short English text for a code, never NULL. */
PLD_API const char *pld_status_text(pld_status status);

/** The version of the library that is loaded: "0.1.0", and as PLADIS_VERSION_NUMBER counts. */
PLD_API const char *pld_version(void);
PLD_API int pld_version_number(void);

/** Whether the library that is loaded has all that the headers of version `number` name: to be called with
 *  PLADIS_VERSION_NUMBER by programs that may meet an older library. PLD_ERROR_UNSUPPORTED names both. */
PLD_API pld_status pld_version_check(int number, pld_error *error);

#ifdef __cplusplus
}
#endif
#endif
