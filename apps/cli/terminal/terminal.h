/* SPDX-License-Identifier: Apache-2.0 */
/** What the terminal behind standard error is like, asked anew each time: it may be resized between two
 * lines. */
#ifndef PLADIS_CLI_TERMINAL_TERMINAL_H
#define PLADIS_CLI_TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/** Characters across; 80 where it does not say. */
static inline int terminal_columns(void) {
    enum { USUAL_COLUMNS = 80 };
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
}

/** Whether it takes more than ASCII, by the locale of the environment. */
static inline bool terminal_is_utf8(void) {
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL ||
                   strstr(value, "utf-8") != NULL;
        }
    }
    return false;
}

/** Characters of UTF-8 text. */
static inline int terminal_width(const char *text) {
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

#endif
