/* SPDX-License-Identifier: Apache-2.0 */
#include "options/option_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(char text[OPTION_TEXT], const char *format, ...) PLD_PRINTF(2, 3);

static void append(char text[OPTION_TEXT], const char *format, ...) {
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, OPTION_TEXT - used, format, arguments);
    va_end(arguments);
}

void option_text_without_names(const pld_option *row, char text[OPTION_TEXT]) {
    text[0] = '\0';
    append(text, "%s", row->help);
    if (row->type == PLD_OPTION_CHOICE && row->list == NULL) {
        append(text, ": %s", row->choices);
    } else if (row->list != NULL) {
        append(text, "; see pladis list %s", row->list);
    }
    if (row->fallback != NULL || row->otherwise != NULL) {
        append(text, " (default: %s)", row->fallback != NULL ? row->fallback : row->otherwise);
    }
}

void option_text(const pld_option *row, char text[OPTION_TEXT]) {
    option_text_without_names(row, text);
    for (const char *at = row->aliases; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        const int length = (int)strcspn(at, " ");
        append(text, "%s--%.*s", at == row->aliases ? " (also " : ", ", length, at);
        at += length;
    }
    append(text, "%s", row->aliases != NULL ? ")" : "");
}

bool option_is_shown(const pld_option *row, const char *command) {
    return row->type < PLD_OPTION_HABIT && pld_option_belongs(row, command);
}

/** The place of a group's first option. */
static size_t first_of(const char *command, const char *group) {
    size_t i = 0;
    while (pld_option_at(i) != NULL &&
           !(option_is_shown(pld_option_at(i), command) && strcmp(pld_option_at(i)->group, group) == 0)) {
        i++;
    }
    return i;
}

const char *option_group(const char *command, const char *group) {
    size_t i = group != NULL ? first_of(command, group) + 1 : 0;
    for (; pld_option_at(i) != NULL; i++) {
        const pld_option *row = pld_option_at(i);
        if (option_is_shown(row, command) && first_of(command, row->group) == i) {
            return row->group;
        }
    }
    return NULL;
}
