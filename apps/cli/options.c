/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "message.h"
#include "number.h"
#include "output.h"

/** Whether the words of `list`, blanks between, hold `value`; `*word` is then the list's own copy's length.
 */
static bool has_word(const char *list, const char *value) {
    size_t length = strlen(value);
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, value, length) == 0) {
            return true;
        }
        at += word;
        at += strspn(at, " ");
    }
    return false;
}

/** Where the value of a row lives. */
static void *place_of(const option *row, void *target) {
    return (char *)target + row->offset;
}

static bool store_listed(const option *row, const char *value, void *target) {
    const char *name = NULL, *description = NULL, *nearest = NULL;
    size_t best = SIZE_MAX;
    char known[1024] = "";
    size_t length = 0;
    bool found = has_word(row->choices, value);
    if (row->choices != NULL) {
        length = (size_t)snprintf(known, sizeof known, "%s", row->choices);
    }
    for (size_t i = 0; !found && pld_list(row->list, i, &name, &description); i++) {
        found = strcmp(name, value) == 0;
        size_t distance = name_distance(value, name);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
        if (length < sizeof known) {
            length +=
                (size_t)snprintf(known + length, sizeof known - length, "%s%s", length > 0 ? " " : "", name);
        }
    }
    if (!found) {
        bool near = nearest != NULL && name_is_near(value, best);
        message_usage("--%s: found \"%s\", expected one of: %s%s%s%s", row->name, value, known,
                      near ? "; did you mean \"" : "", near ? nearest : "", near ? "\"?" : "");
        return false;
    }
    *(const char **)place_of(row, target) = value;
    return true;
}

static bool store_integer(const option *row, const char *value, void *target) {
    int64_t number = 0;
    if (!number_integer(value, &number) || (double)number < row->minimum || (double)number > row->maximum) {
        message_usage("--%s: found \"%s\", expected a whole number from %.0f to %.0f", row->name, value,
                      row->minimum, row->maximum);
        return false;
    }
    *(int64_t *)place_of(row, target) = number;
    return true;
}

static bool store_number(const option *row, const char *value, void *target) {
    double number = 0;
    if (!number_real(value, &number) || number < row->minimum || number > row->maximum ||
        (row->above_minimum && number <= row->minimum)) {
        message_usage("--%s: found \"%s\", expected a number %s %g %s %g", row->name, value,
                      row->above_minimum ? "above" : "from", row->minimum,
                      row->above_minimum ? "and at most" : "to", row->maximum);
        return false;
    }
    *(double *)place_of(row, target) = number;
    return true;
}

bool options_store(const option *row, const char *value, void *target) {
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)place_of(row, target) = true;
        return true;
    case OPTION_TEXT:
    case OPTION_OPTIONAL:
        *(const char **)place_of(row, target) = value;
        return true;
    case OPTION_CHOICE:
        if (!has_word(row->choices, value)) {
            message_usage("--%s: found \"%s\", expected one of: %s", row->name, value, row->choices);
            return false;
        }
        *(const char **)place_of(row, target) = value;
        return true;
    case OPTION_LISTED:
        return store_listed(row, value, target);
    case OPTION_INTEGER:
        return store_integer(row, value, target);
    case OPTION_NUMBER:
        return store_number(row, value, target);
    case OPTION_CUSTOM:
        return row->accept(target, row, value);
    default:
        message_usage("--%s: %s", row->name, row->help);
        return false;
    }
}

/** options_store for what stands on the command line. */
static bool store_given(const option_set *set, const option *row, const char *value, void *target) {
    if (set->given != NULL) {
        set->given(target, row);
    }
    return options_store(row, value, target);
}

static bool takes_value(const option *row) {
    return row->kind != OPTION_FLAG && row->kind != OPTION_REFUSED;
}

/** The row of `name` (of `length` characters), or NULL. */
static const option *find_long(const option_set *set, const char *name, size_t length) {
    for (size_t i = 0; i < set->count; i++) {
        const option *row = &set->rows[i];
        const char *spellings[] = {row->name, row->alias};
        for (size_t j = 0; row->kind != OPTION_SECTION && j < 2; j++) {
            if (spellings[j] != NULL && strlen(spellings[j]) == length &&
                strncmp(spellings[j], name, length) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

static const option *find_letter(const option_set *set, char letter) {
    for (size_t i = 0; i < set->count; i++) {
        if (set->rows[i].kind != OPTION_SECTION && set->rows[i].letter == letter) {
            return &set->rows[i];
        }
    }
    return NULL;
}

/** "unknown option", with the nearest name where one is near. */
static void report_unknown(const option_set *set, const char *argument) {
    char name[64];
    size_t skip = strspn(argument, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + skip, "="), argument + skip);
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < set->count; i++) {
        const option *row = &set->rows[i];
        const char *spellings[] = {row->name, row->alias};
        for (size_t j = 0; row->kind != OPTION_SECTION && row->kind != OPTION_REFUSED && j < 2; j++) {
            size_t distance = spellings[j] != NULL ? name_distance(name, spellings[j]) : SIZE_MAX;
            if (distance < best) {
                best = distance;
                nearest = spellings[j];
            }
        }
    }
    if (nearest != NULL && strlen(name) > 1 && name_is_near(name, best)) {
        message_usage("unknown option %s; did you mean --%s?", argument, nearest);
    } else {
        message_usage("unknown option %s; --help lists what there is", argument);
    }
}

/** Whether the argument behind an option that may stand alone is its value: no option, and in a command that
 * takes words none of those that the row names as its choices. */
static bool can_be_value(const option_set *set, const option *row, const char *argument) {
    if (row->choices != NULL) {
        return (argument[0] != '-' || argument[1] == '\0') && !has_word(row->choices, argument);
    }
    return set->most_positionals == 0 && argument[0] != '-';
}

/** Put a repaired copy in place of an argument that is not UTF-8, where it stays to the program's end, and
 * move
 * `*value`, which points into it, along: names of options take no part in the repair. False after an error
 * line. */
static bool repair_argument(char **argument, const char **value) {
    pld_error error = {0};
    char *repaired = NULL;
    if (pld_utf8_repair(*argument, strlen(*argument), &repaired, NULL, &error) != PLD_OK) {
        message_error(&error);
        return false;
    }
    if (strcmp(repaired, *argument) == 0) {
        pld_string_free(&repaired);
        return true;
    }
    *value = repaired + (*value - *argument);
    *argument = repaired;
    return true;
}

/** Handle argv[*at], an option; moves *at past a value taken from the next argument. */
static bool parse_option(const option_set *set, int argc, char **argv, int *at, void *target) {
    const char *argument = argv[*at];
    const option *row = NULL;
    const char *value = NULL;
    if (argument[1] == '-') {
        size_t length = strcspn(argument + 2, "=");
        row = find_long(set, argument + 2, length);
        value = argument[2 + length] == '=' ? argument + 2 + length + 1 : NULL;
    } else {
        row = find_letter(set, argument[1]);
        value = argument[2] != '\0' ? argument + 2 : NULL;
    }
    if (row == NULL) {
        report_unknown(set, argument);
        return false;
    }
    if (!takes_value(row)) {
        if (value != NULL && row->kind == OPTION_FLAG) {
            message_usage("--%s: takes no value, found \"%s\"", row->name, argument);
            return false;
        }
        return store_given(set, row, value, target);
    }
    if (value == NULL && row->kind == OPTION_OPTIONAL) {
        /* the next argument is its value where it cannot be anything else */
        bool is_value = *at + 1 < argc && can_be_value(set, row, argv[*at + 1]);
        return store_given(set, row, is_value ? argv[++*at] : "", target);
    }
    if (value == NULL) {
        if (*at + 1 >= argc) {
            message_usage("--%s: expected %s after it, found nothing", row->name, row->argument);
            return false;
        }
        value = argv[++*at];
    }
    return (!row->is_prose || repair_argument(&argv[*at], &value)) && store_given(set, row, value, target);
}

options_result options_parse(const option_set *set, int argc, char **argv, void *target,
                             const char **positionals, size_t *positional_count) {
    bool only_positionals = false;
    *positional_count = 0;
    for (int i = 0; i < argc; i++) {
        const char *argument = argv[i];
        bool is_option = !only_positionals && argument[0] == '-' && argument[1] != '\0';
        if (is_option && strcmp(argument, "--") == 0) {
            only_positionals = true;
        } else if (is_option && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)) {
            options_print_help(set);
            return OPTIONS_HELP;
        } else if (is_option) {
            if (!parse_option(set, argc, argv, &i, target)) {
                return OPTIONS_WRONG;
            }
        } else if (*positional_count < set->most_positionals) {
            positionals[(*positional_count)++] = argument;
        } else {
            message_usage("unexpected argument \"%s\"; expected: %s", argument, set->usage);
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_RUN;
}

static void print_row(const option *row) {
    enum { HELP_COLUMN = 34 };
    char left[96];
    int length = 0;
    if (row->letter != '\0') {
        length = snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name);
    } else {
        length = snprintf(left, sizeof left, "      --%s", row->name);
    }
    if (row->argument != NULL) {
        const char *form = row->kind == OPTION_OPTIONAL ? " [%s]" : " %s";
        snprintf(left + length, sizeof left - (size_t)length, form, row->argument);
    }
    if (strlen(left) + 2 > HELP_COLUMN) {
        print_output("%s\n%*s", left, HELP_COLUMN, "");
    } else {
        print_output("%-*s", HELP_COLUMN, left);
    }
    for (const char *at = row->help; *at != '\0';) {
        int line = (int)strcspn(at, "\n");
        print_output("%.*s", line, at);
        at += line;
        if (*at == '\n') {
            print_output("\n%*s", HELP_COLUMN, "");
            at++;
        }
    }
    if (row->kind == OPTION_CHOICE) {
        print_output(": %s", row->choices);
    }
    if (row->alias != NULL) {
        print_output(" (also --%s)", row->alias);
    }
    print_output("\n");
}

void options_print_help(const option_set *set) {
    print_output("usage: ");
    print_output_lines(set->usage);
    print_output("\n\n");
    print_output_lines(set->summary);
    print_output("\n");
    for (size_t i = 0; i < set->count; i++) {
        const option *row = &set->rows[i];
        if (row->kind == OPTION_SECTION) {
            print_output("\n%s\n", row->help);
        } else if (row->kind != OPTION_REFUSED) {
            print_row(row);
        }
    }
    print_output("  -h, --help                      this text\n");
    if (set->examples != NULL) {
        print_output("\nexamples\n");
        print_output_lines(set->examples);
    }
}

int options_exit_code(options_result result) {
    return result == OPTIONS_HELP ? EXIT_DONE : result == OPTIONS_FAILED ? EXIT_FAILED : EXIT_USAGE;
}
