/* SPDX-License-Identifier: Apache-2.0 */
/** Command lines from the library's table of options: parsing, the --help text, and values into a request. */
#ifndef PLADIS_CLI_OPTIONS_OPTIONS_H
#define PLADIS_CLI_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pladis/options.h>

typedef pld_option option;

/** Where a command's request keeps the value of an option: bool of a flag, int64_t, double, int64_t[2] of a pair,
 * const char *; of a list size_t, how many there are. */
typedef struct option_field {
    const char *name;
    size_t offset;
} option_field;

/** A command's whole command line; its options are the rows of the table that belong to it. */
typedef struct option_set {
    const char *command;  /**< "info" */
    const char *brief;    /**< what it does, for the list of commands */
    const char *usage;    /**< "pladis info MODEL [--json]" */
    const char *summary;  /**< a sentence or two */
    const char *details;  /**< more sentences, for the manual; or NULL */
    const char *examples; /**< lines, or NULL */
    const char *words; /**< what may stand beside options, blanks between; NULL: names of files, or nothing */
    size_t most_positionals;
    const option_field *fields;
    size_t field_count;
    /** Store a value in another way than options_store; false after an error line. */
    bool (*store)(void *request, const option *row, const char *value);
} option_set;

typedef enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_WRONG,
    OPTIONS_FAILED /**< the options are right, but a file that they name is not, or memory is out */
} options_result;

/** The exit code of a command that does not run. */
int options_exit_code(options_result result);

/** Fill `values` and the request's fields from the arguments after the command's name. `positionals` has room for
 * most_positionals and gets what is not an option. OPTIONS_HELP: the help text was printed. OPTIONS_WRONG: one
 * error line was. */
options_result options_parse(const option_set *set, int argc, char **argv, pld_options *values, void *request,
                             const char **positionals, size_t *positional_count);

/** New values, the request's fields with their defaults, then options_parse. The caller destroys `*values` in any
 * case; texts of the request live as long. */
options_result options_read(const option_set *set, int argc, char **argv, pld_options **values, void *request,
                            const char **positionals, size_t *positional_count);

/** Set a value of `values`, and the field of the request. False after an error line. */
bool options_store(const option_set *set, const option *row, const char *value, pld_options *values,
                   void *request);

/** Fields of the request as the values are: of one row, or of all where `row` is NULL. */
void options_take(const option_set *set, const option *row, const pld_options *values, void *request);

/** Notes about what was given and has no effect. */
void options_note_habits(const pld_options *values);

void options_print_help(const option_set *set);

#endif
