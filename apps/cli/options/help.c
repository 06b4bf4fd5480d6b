/* SPDX-License-Identifier: Apache-2.0 */
/** --help of a command. */
#include <stdio.h>
#include <string.h>

#include "options/option_text.h"
#include "options/options.h"
#include "terminal/message.h"
#include "terminal/output.h"

enum { HELP_COLUMN = 34, HELP_WIDTH = 100 };

/** Words of a text, from HELP_COLUMN on, in lines of HELP_WIDTH. */
static void print_wrapped(const char *text) {
    int column = HELP_COLUMN;
    for (const char *at = text; *at != '\0';) {
        const int length = (int)strcspn(at, " ");
        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            print_output("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        print_output("%s%.*s", column > HELP_COLUMN ? " " : "", length, at);
        column += length + (column > HELP_COLUMN);
        at += length;
        at += strspn(at, " ");
    }
    print_output("\n");
}

static void print_row(const option *row) {
    char left[96], text[OPTION_TEXT];
    int length = row->letter != '\0' ? snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name)
                                     : snprintf(left, sizeof left, "      --%s", row->name);
    if (row->argument != NULL) {
        snprintf(left + length, sizeof left - (size_t)length, row->value_is_optional ? " [%s]" : " %s",
                 row->argument);
    }
    if (strlen(left) + 2 > HELP_COLUMN) {
        print_output("%s\n%*s", left, HELP_COLUMN, "");
    } else {
        print_output("%-*s", HELP_COLUMN, left);
    }
    option_text(row, text);
    print_wrapped(text);
}

void options_print_help(const option_set *set) {
    print_output("usage: ");
    print_output_lines(set->usage);
    print_output("\n\n");
    print_output_lines(set->summary);
    print_output("\n\n");
    const char *group = NULL;
    size_t shown = 0;
    for (group = option_group(set->command, NULL); group != NULL; group = option_group(set->command, group)) {
        if (shown > 0) {
            print_output("\n");
        }
        print_output("%s\n", group);
        for (size_t i = 0; pld_option_at(i) != NULL; i++) {
            if (option_is_shown(pld_option_at(i), set->command) &&
                strcmp(pld_option_at(i)->group, group) == 0) {
                print_row(pld_option_at(i));
            }
        }
        shown++;
    }
    print_output("  -h, --help                      this text\n");
    if (set->examples != NULL) {
        print_output("\nexamples\n");
        print_output_lines(set->examples);
    }
}
