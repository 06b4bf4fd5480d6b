/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal/message.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "terminal/output.h"
#include "terminal/progress.h"
#include "terminal/terminal.h"

static verbosity current_verbosity = VERBOSITY_NORMAL;

void message_set_verbosity(verbosity level) {
    current_verbosity = level;
}

verbosity message_verbosity(void) {
    return current_verbosity;
}

/** The exit code that the last error line stands for, or EXIT_DONE while there was none. */
static int said_code = EXIT_DONE;

/** A line of the summary on a terminal: broken at blanks, the rest under the text that stands behind its
 * heading. */
static void print_wrapped(const char *line, int columns) {
    enum { INDENT = 10 /* behind "sampler   " */ };
    int used = 0, room = columns > 2 * INDENT ? columns : INT_MAX;
    for (const char *at = line; *at != '\0';) {
        const size_t blanks = strspn(at, " "), length = blanks + strcspn(at + blanks, " ");
        char word[2 * PLD_ERROR_MESSAGE_SIZE];
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        const bool breaks = used > INDENT && used + terminal_width(word) > room;
        const char *shown = breaks ? word + blanks : word;
        print_message(breaks ? "\n%*s%s" : "%*s%s", breaks ? INDENT : 0, "", shown);
        used = (breaks ? INDENT : used) + terminal_width(shown);
        at += length;
    }
    print_message("\n");
}

static void print_line(const char *label, const char *text, va_list arguments) PLD_PRINTF(2, 0);
static void print_line(const char *label, const char *text, va_list arguments) {
    progress_clear();
    if (label[0] != '\0' || !isatty(STDERR_FILENO)) {
        print_message_line(label, text, arguments);
        return;
    }
    char line[2 * PLD_ERROR_MESSAGE_SIZE];
    vsnprintf(line, sizeof line, text, arguments);
    pld_make_printable(line);
    print_wrapped(line, terminal_columns());
}

int message_failure(const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    print_line("pladis: error: ", text, arguments);
    va_end(arguments);
    said_code = EXIT_FAILED;
    return EXIT_FAILED;
}

int message_usage(const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    print_line("pladis: error: ", text, arguments);
    va_end(arguments);
    said_code = EXIT_USAGE;
    return EXIT_USAGE;
}

int message_error(const pld_error *error) {
    message_failure("%s", error->message[0] != '\0' ? error->message : pld_status_text(error->status));
    switch (error->status) {
    case PLD_ERROR_ARGUMENT:
        said_code = EXIT_USAGE;
        return EXIT_USAGE;
    case PLD_ERROR_CANCELLED:
        said_code = EXIT_CANCELLED;
        return EXIT_CANCELLED;
    default:
        return EXIT_FAILED;
    }
}

void message_note(const char *text, ...) {
    if (current_verbosity == VERBOSITY_QUIET) {
        return;
    }
    va_list arguments;
    va_start(arguments, text);
    print_line("pladis: note: ", text, arguments);
    va_end(arguments);
}

void message_line(const char *text, ...) {
    if (current_verbosity == VERBOSITY_QUIET) {
        return;
    }
    va_list arguments;
    va_start(arguments, text);
    print_line("", text, arguments);
    va_end(arguments);
}

static void log_line(const char *label, const char *text, ...) PLD_PRINTF(2, 3);
static void log_line(const char *label, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    print_line(label, text, arguments);
    va_end(arguments);
}

/** Whether this was said before: what a picture's options bring up would come again with every picture. */
static bool said_before(const char *message) {
    enum { MOST = 64 };
    static uint64_t said[MOST];
    static size_t count;
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *at = message; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    for (size_t i = 0; i < count; i++) {
        if (said[i] == hash) {
            return true;
        }
    }
    if (count < MOST) {
        said[count++] = hash;
    }
    return false;
}

pld_log_level message_log_level(void) {
    return current_verbosity < VERBOSITY_NORMAL    ? PLD_LOG_WARNING
           : current_verbosity < VERBOSITY_VERBOSE ? PLD_LOG_NOTICE
                                                   : PLD_LOG_DETAIL;
}

void message_log(void *user, pld_log_level level, const char *message) {
    (void)user;
    verbosity needed = level == PLD_LOG_DETAIL ? VERBOSITY_VERBOSE : VERBOSITY_NORMAL;
    if (current_verbosity < needed || (level != PLD_LOG_DETAIL && said_before(message))) {
        return;
    }
    const char *label = level == PLD_LOG_WARNING  ? "pladis: warning: "
                        : level == PLD_LOG_NOTICE ? "pladis: note: "
                                                  : "pladis: ";
    log_line(label, "%s", message);
}

int message_finish_output(int code) {
    if ((code == EXIT_FAILED || code == EXIT_USAGE) && said_code != EXIT_DONE) {
        code = said_code;
    }
    if (!output_flush()) {
        if (errno == EPIPE) { /* a reader such as head has what it wanted */
            return code;
        }
        return message_failure("standard output: cannot be written: %s", strerror(errno));
    }
    return code;
}
