/* SPDX-License-Identifier: Apache-2.0 */
/** The manual page from its template and the table of options: pladis_manual TEMPLATE >pladis.1. A program of its
 * own, for those who build; it is not installed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files/whole_file.h"
#include "options/option_text.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/ascii.h"

enum { LONGEST_TEMPLATE = 1 << 20 };

static bool is_small(char c) {
    return c >= 'a' && c <= 'z';
}

/** Text as roff prints it: hyphens that can be copied, backslashes, and no line that begins a request. */
static void print_escaped(const char *text, size_t length) {
    if (length > 0 && (text[0] == '.' || text[0] == '\'')) {
        print_output("\\&");
    }
    for (size_t i = 0; i < length;) {
        size_t plain = 0;
        while (i + plain < length && text[i + plain] != '-' && text[i + plain] != '\\') {
            plain++;
        }
        print_output("%.*s", (int)plain, text + i);
        i += plain;
        if (i < length) {
            print_output("%s", text[i] == '-' ? "\\-" : "\\e");
            i++;
        }
    }
}

static void print_text(const char *text) {
    print_escaped(text, strlen(text));
}

/** Length of the beginning of `text` that is a word of an option, "--pladis"; 0: it is none. */
static size_t option_word(const char *text) {
    const size_t dashes = strspn(text, "-");
    const size_t length = dashes + strspn(text + dashes, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return dashes == 2 && length > dashes ? length : 0;
}

/** A text for people: words of options in bold. */
static void print_prose(const char *text) {
    while (*text != '\0') {
        const char *next = strstr(text, "--");
        const size_t before = next != NULL ? (size_t)(next - text) : strlen(text);
        const size_t word = next != NULL ? option_word(next) : 0;
        print_escaped(text, before);
        if (word > 0) {
            print_output("\\fB");
            print_escaped(next, word);
            print_output("\\fR");
        } else if (next != NULL) {
            print_output("\\-\\-");
        }
        text += before + (word > 0 ? word : next != NULL ? 2 : 0);
    }
}

/** Lines of a text joined by blanks into one. */
static void print_joined(const char *text) {
    for (const char *at = text; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        char line[2048];
        snprintf(line, sizeof line, "%.*s", (int)length, at);
        print_prose(line);
        at += length;
        if (*at == '\n') {
            print_output("\n");
            if (at[1] == '\n') {
                print_output(".sp\n");
            } else if (at[1] == ' ') {
                print_output(".br\n");
            }
            at += at[1] == '\n' ? 2 : 1;
        }
    }
    print_output("\n");
}

static void print_synopsis(void) {
    for (size_t i = 0; commands[i].set != NULL; i++) {
        if (i > 0) {
            print_output(".br\n");
        }
        print_text(commands[i].set->usage);
        print_output("\n");
    }
    print_output(".br\npladis \\-\\-version\n");
}

static void print_commands(void) {
    for (size_t i = 0; commands[i].set != NULL; i++) {
        print_output(".TP\n.B %s\n", commands[i].set->command);
        print_joined(commands[i].set->summary);
        if (commands[i].set->details != NULL) {
            print_joined(commands[i].set->details);
        }
    }
}

/** What numbers are taken, where that says more than the type. */
static void print_range(const option *row) {
    const bool number = row->type == PLD_OPTION_INTEGER || row->type == PLD_OPTION_NUMBER;
    if (number && row->maximum < 1e17) {
        char text[96];
        snprintf(text, sizeof text, "%s %g to %.10g%s%s.", row->above_minimum ? "Above" : "From",
                 row->minimum, row->maximum, row->unit != NULL ? " " : "",
                 row->unit != NULL ? row->unit : "");
        print_text(text);
        print_output("\n");
    }
}

static void print_option(const option *row) {
    char text[OPTION_TEXT];
    print_output(".TP\n");
    if (row->letter != '\0') {
        print_output("\\fB\\-%c\\fR, ", row->letter);
    }
    print_output("\\fB\\-\\-");
    print_text(row->name);
    print_output("\\fR");
    for (const char *at = row->aliases; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        print_output(", \\fB\\-\\-");
        print_escaped(at, length);
        print_output("\\fR");
        at += length;
    }
    if (row->argument != NULL) {
        print_output(" %s\\fI", row->value_is_optional ? "[" : "");
        print_text(row->argument);
        print_output("\\fR%s", row->value_is_optional ? "]" : "");
    }
    print_output("\n");
    option_text_without_names(row, text);
    if (is_small(text[0])) {
        text[0] = (char)(text[0] - 'a' + 'A');
    }
    print_prose(text);
    print_output(".\n");
    print_range(row);
    if (row->details != NULL) {
        print_prose(row->details);
        print_output("\n");
    }
}

/** The options of a command that generate has not, or generate's own, by their headings. */
static void print_options(const char *command) {
    const bool own = strcmp(command, "generate") == 0;
    for (const char *group = option_group(command, NULL); group != NULL;
         group = option_group(command, group)) {
        bool headed = false;
        for (size_t i = 0; pld_option_at(i) != NULL; i++) {
            const option *row = pld_option_at(i);
            if (!option_is_shown(row, command) || strcmp(row->group, group) != 0 ||
                (!own && pld_option_belongs(row, "generate"))) {
                continue;
            }
            if (own && !headed) {
                print_output(".SS %s\n", group);
                headed = true;
            }
            print_option(row);
        }
    }
}

/** Names of the options that a command shares with generate. */
static void print_shared(const char *command) {
    size_t count = 0;
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        if (option_is_shown(row, command) && pld_option_belongs(row, "generate")) {
            print_output("%s\\fB\\-\\-", count > 0 ? ", " : ".PP\nAs for generate: ");
            print_text(row->name);
            print_output("\\fR");
            count++;
        }
    }
    if (count > 0) {
        print_output(".\n");
    }
}

static void print_other_commands(void) {
    for (size_t i = 0; commands[i].set != NULL; i++) {
        const char *command = commands[i].set->command;
        if (strcmp(command, "generate") == 0 || option_group(command, NULL) == NULL) {
            continue;
        }
        char heading[32];
        snprintf(heading, sizeof heading, "%s", command);
        for (char *at = heading; *at != '\0'; at++) {
            if (is_small(*at)) {
                *at = (char)(*at - 'a' + 'A');
            }
        }
        print_output(".SH OPTIONS OF %s\n", heading);
        print_options(command);
        print_shared(command);
    }
}

static void print_habits(void) {
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        if (row->type == PLD_OPTION_HABIT) {
            print_output(".TP\n\\fB\\-\\-");
            print_text(row->name);
            print_output("\\fR\n");
            print_prose(row->help);
            print_output(".\n");
        }
    }
}

static void print_examples(void) {
    for (size_t i = 0; commands[i].set != NULL; i++) {
        for (const char *at = commands[i].set->examples; at != NULL && *at != '\0';) {
            const size_t length = strcspn(at, "\n"), blanks = strspn(at, " ");
            print_escaped(at + blanks, length - blanks);
            print_output("\n");
            at += length + (at[length] == '\n');
        }
    }
}

static void print_note(void) {
    print_output(
        ".\\\" Made from its template, .in, and the table of options by ./dev manual; change those.\n");
}

/** What stands in the place of a line of the template; false: the line itself. */
static bool print_insert(const char *line, size_t length) {
    static const struct {
        const char *line;
        void (*print)(void);
    } inserts[] = {
        {".\\\" @NOTE@", print_note},   {"@SYNOPSIS@", print_synopsis},
        {"@COMMANDS@", print_commands}, {"@OPTIONS rest@", print_other_commands},
        {"@HABITS@", print_habits},     {"@EXAMPLES@", print_examples},
    };
    for (size_t i = 0; i < sizeof inserts / sizeof *inserts; i++) {
        if (strlen(inserts[i].line) == length && strncmp(line, inserts[i].line, length) == 0) {
            inserts[i].print();
            return true;
        }
    }
    for (size_t i = 0; commands[i].set != NULL; i++) {
        char options[64];
        const char *command = commands[i].set->command;
        const int wanted = snprintf(options, sizeof options, "@OPTIONS %s@", command);
        if ((size_t)wanted == length && strncmp(line, options, length) == 0) {
            print_options(command);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    size_t size = 0;
    char *template = argc == 2 ? whole_file_read_text(argv[1], LONGEST_TEMPLATE, &size) : NULL;
    if (template == NULL) {
        return message_usage("usage: pladis_manual TEMPLATE");
    }
    for (const char *at = template; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        if (!print_insert(at, length)) {
            print_output("%.*s\n", (int)length, at);
        }
        at += length + (at[length] == '\n');
    }
    free(template);
    return message_finish_output(EXIT_DONE);
}
