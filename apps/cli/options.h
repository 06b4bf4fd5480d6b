/* SPDX-License-Identifier: Apache-2.0 */
/** Command lines described by a table: parsing, strict checks and the --help text all come from its rows. */
#ifndef PLADIS_CLI_OPTIONS_H
#define PLADIS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pladis/pladis.h>

typedef enum option_kind {
    OPTION_SECTION,  /**< a heading of the help text */
    OPTION_FLAG,     /**< bool, set to true */
    OPTION_TEXT,     /**< const char * */
    OPTION_OPTIONAL, /**< const char *; "" when the option stands alone, as before the words of `choices` */
    OPTION_CHOICE,   /**< const char *, one of the words of `choices` */
    OPTION_LISTED,   /**< const char *, a name of the library's list `list`, or one of `choices` */
    OPTION_INTEGER,  /**< int64_t from minimum to maximum */
    OPTION_NUMBER,   /**< double from minimum to maximum */
    OPTION_CUSTOM,   /**< handed to `accept` */
    OPTION_REFUSED   /**< known to other programs or later versions; `help` says why it is refused */
} option_kind;

/** One option. `offset` is the place of its value in the struct that options_parse fills. */
typedef struct option {
    option_kind kind;
    const char *name; /**< "steps" for --steps */
    char letter;      /**< 's' for -s, or 0 */
    const char *alias;
    size_t offset;
    const char *argument; /**< how the help calls the value, "N" */
    const char *help;
    double minimum, maximum;
    bool above_minimum; /**< the minimum itself is refused */
    bool of_picture;    /**< says what one picture is: may be swept, and is read back from a PNG */
    bool is_file;       /**< its value names a file */
    bool is_prose;      /**< its value is a text that is drawn: bytes that are not UTF-8 become U+FFFD */
    const char *symbol; /**< how formulas call its value, "λ", or NULL */
    const char *title; /**< how a person calls it, "CFG scale"; "": the value says it alone; NULL: the name */
    const char *choices;
    pld_list_kind list;
    /** Store or refuse a value; prints its own error and gives false. */
    bool (*accept)(void *target, const struct option *row, const char *value);
} option;

/** A command's whole command line. */
typedef struct option_set {
    const char *usage;   /**< "pladis info MODEL [--json]" */
    const char *summary; /**< a sentence or two */
    const option *rows;
    size_t count;
    const char *examples; /**< lines, or NULL */
    size_t most_positionals;
    void (*given)(void *target, const option *row); /**< called before a value is stored, or NULL */
} option_set;

typedef enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_WRONG,
    OPTIONS_FAILED /**< the options are right, but a file that they name is not */
} options_result;

/** The exit code of a command that does not run. */
int options_exit_code(options_result result);

/** Fill `target` from the arguments after the command's name. `positionals` has room for most_positionals and
 * gets what is not an option. OPTIONS_HELP: the help text was printed. OPTIONS_WRONG: one error line was. */
options_result options_parse(const option_set *set, int argc, char **argv, void *target,
                             const char **positionals, size_t *positional_count);

/** Store `value` as the row says. False after an error line. */
bool options_store(const option *row, const char *value, void *target);

void options_print_help(const option_set *set);

#endif
