/* SPDX-License-Identifier: Apache-2.0 */
#include "options/options.h"

#include <stdio.h>
#include <string.h>

#include "terminal/message.h"

void options_take(const option_set *set, const option *row, const pld_options *values, void *request) {
    for (size_t i = 0; i < set->field_count; i++) {
        const option_field *field = &set->fields[i];
        if (row != NULL && strcmp(row->name, field->name) != 0) {
            continue;
        }
        const option *bound = pld_option_find(set->command, field->name);
        const pld_option_value *value = pld_options_value(values, bound);
        void *place = (char *)request + field->offset;
        switch (bound->type) {
        case PLD_OPTION_FLAG:
            *(bool *)place = value->flag;
            break;
        case PLD_OPTION_INTEGER:
        case PLD_OPTION_SIZE:
            *(int64_t *)place = value->integer;
            break;
        case PLD_OPTION_NUMBER:
            *(double *)place = value->number;
            break;
        case PLD_OPTION_PAIR:
            memcpy(place, value->pair, sizeof value->pair);
            break;
        case PLD_OPTION_NUMBERS:
        case PLD_OPTION_TEXTS:
            *(size_t *)place = value->count;
            break;
        default:
            *(const char **)place = value->text;
            break;
        }
    }
}

bool options_store(const option_set *set, const option *row, const char *value, pld_options *values,
                   void *request) {
    pld_error error = {0};
    const pld_status status = pld_options_set_option(values, row, value, &error);
    if (status == PLD_ERROR_MEMORY) {
        message_error(&error);
    } else if (status != PLD_OK) {
        message_usage("--%s", error.message);
    }
    options_take(set, row, values, request);
    return status == PLD_OK;
}

static bool store(const option_set *set, const option *row, const char *value, pld_options *values,
                  void *request) {
    return set->store != NULL ? set->store(request, row, value)
                              : options_store(set, row, value, values, request);
}

static bool takes_value(const option *row) {
    return row->type != PLD_OPTION_FLAG && (row->type != PLD_OPTION_HABIT || row->argument != NULL);
}

/** The row that an argument names, or NULL. */
static const option *find_row(const option_set *set, const char *argument) {
    char name[64];
    const size_t length = strcspn(argument + 2, "=");
    if (argument[1] != '-') {
        return pld_option_find_letter(set->command, argument[1]);
    }
    if (length >= sizeof name) {
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)length, argument + 2);
    return pld_option_find(set->command, name);
}

/** "unknown option", with the nearest name where one is near. */
static void report_unknown(const option_set *set, const char *argument) {
    char name[64];
    const size_t skip = strspn(argument, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + skip, "="), argument + skip);
    const char *nearest = pld_option_nearest(set->command, name);
    if (nearest != NULL) {
        message_usage("unknown option %s; did you mean --%s?", argument, nearest);
    } else {
        message_usage("unknown option %s; --help lists what there is", argument);
    }
}

static bool has_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = list; at != NULL && *at != '\0'; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == length && strncmp(at, word, length) == 0) {
            return true;
        }
        at += size;
    }
    return false;
}

/** Whether the argument behind an option that may stand alone is its value: no option, and in a command that
 * takes words none of those. */
static bool can_be_value(const option_set *set, const char *argument) {
    if (set->words != NULL) {
        return (argument[0] != '-' || argument[1] == '\0') && !has_word(set->words, argument);
    }
    return set->most_positionals == 0 && argument[0] != '-';
}

/** Put a repaired copy in place of an argument that is not UTF-8, where it stays to the program's end, and move
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

/** The value of an option that takes one: behind "=" or the letter, else the next argument, past which *at moves.
 * NULL after an error line. */
static const char *find_value(const option_set *set, const option *row, const char *value, int argc,
                              char **argv, int *at) {
    if (value == NULL && row->value_is_optional) {
        /* the next argument is its value where it cannot be anything else */
        return *at + 1 < argc && can_be_value(set, argv[*at + 1]) ? argv[++*at] : "";
    }
    if (value == NULL && *at + 1 >= argc) {
        message_usage("--%s: expected %s after it, found nothing", row->name, row->argument);
        return NULL;
    }
    value = value != NULL ? value : argv[++*at];
    return row->is_prose && !repair_argument(&argv[*at], &value) ? NULL : value;
}

/** Handle argv[*at], an option; moves *at past a value taken from the next argument. */
static bool parse_option(const option_set *set, int argc, char **argv, int *at, pld_options *values,
                         void *request) {
    const char *argument = argv[*at], *value = NULL;
    const option *row = find_row(set, argument);
    if (row == NULL) {
        report_unknown(set, argument);
        return false;
    }
    const char *refusal = pld_option_refusal(row, set->command);
    if (refusal != NULL) {
        message_usage("--%s: %s", row->name, refusal);
        return false;
    }
    if (argument[1] == '-') {
        value = strchr(argument, '=') != NULL ? strchr(argument, '=') + 1 : NULL;
    } else {
        value = argument[2] != '\0' ? argument + 2 : NULL;
    }
    if (!takes_value(row)) {
        if (value != NULL) {
            message_usage("--%s: takes no value, found \"%s\"", row->name, argument);
            return false;
        }
        return store(set, row, "", values, request);
    }
    value = find_value(set, row, value, argc, argv, at);
    return value != NULL && store(set, row, value, values, request);
}

options_result options_parse(const option_set *set, int argc, char **argv, pld_options *values, void *request,
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
            if (!parse_option(set, argc, argv, &i, values, request)) {
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

options_result options_read(const option_set *set, int argc, char **argv, pld_options **values, void *request,
                            const char **positionals, size_t *positional_count) {
    pld_error error = {0};
    if (pld_options_create(values, &error) != PLD_OK) {
        message_error(&error);
        return OPTIONS_FAILED;
    }
    options_take(set, NULL, *values, request);
    return options_parse(set, argc, argv, *values, request, positionals, positional_count);
}

void options_note_habits(const pld_options *values) {
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        if (row->type == PLD_OPTION_HABIT && pld_options_value(values, row)->flag) {
            message_note("--%s has no effect: %s", row->name, row->help);
        }
    }
}

int options_exit_code(options_result result) {
    return result == OPTIONS_HELP ? EXIT_DONE : result == OPTIONS_FAILED ? EXIT_FAILED : EXIT_USAGE;
}
