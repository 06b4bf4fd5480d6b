/* SPDX-License-Identifier: Apache-2.0 */
/** @file status.h
 *  Status codes and error detail of every libpladis function.
 *
 *  A function that can fail returns a pld_status and writes what a person needs to know (file, tensor or
 * option, what was expected, what was found, the remedy) into an optional pld_error of the caller.
 */
#ifndef PLADIS_STATUS_H
#define PLADIS_STATUS_H

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

/** Detail of the last failure. The caller owns it; every function accepts NULL in its place. */
typedef struct pld_error {
    pld_status status;
    char message[PLD_ERROR_MESSAGE_SIZE]; /**< one line, UTF-8, no trailing newline */
} pld_error;

/** Weight of a log message. */
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

#ifdef __cplusplus
}
#endif
#endif
