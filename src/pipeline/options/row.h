/* SPDX-License-Identifier: Apache-2.0 */
/** Rows of the table of options. A new option is one row in the file of its group; what people see of it
 * (command line, help, manual, completion, report, metadata, --from, axes of grids) follows. */
#ifndef PLD_PIPELINE_OPTIONS_ROW_H
#define PLD_PIPELINE_OPTIONS_ROW_H

#include "pladis/options.h"

/** The public struct that has a field for the value. */
typedef enum pld_option_struct {
    PLD_FIELD_NONE,
    PLD_FIELD_OF_GENERATE,
    PLD_FIELD_OF_ENGINE,
    PLD_FIELD_OF_MODEL,
    PLD_FIELD_OF_REPORT
} pld_option_struct;

/** Where the value stands there: numbers as the field's size says, a pair as two fields behind each other, a
 * list as a pointer and a count. */
typedef struct pld_option_field {
    pld_option_struct of;
    size_t offset, size;
    size_t count_offset; /**< of a list */
} pld_option_field;

typedef struct pld_option_row {
    pld_option about;
    pld_option_field field;    /**< of an option struct */
    pld_option_field in_force; /**< of pld_report, for what a run decides; "" there is `none_word` */
    const char *none_word;
    struct {
        const char *written, *meant;
    } synonyms[4];      /**< other spellings of values */
    const char *joined; /**< the option whose value may follow behind a blank: "DPM++ 2M Karras" */
    const char *sets;   /**< of a flag: the option that it sets to `sets_to` */
    const char *sets_to;
    /** Refuses what the type does not; `error` then lacks the option's name. NULL: takes all. */
    pld_status (*check)(const char *text, pld_error *error);
    struct {
        const char *command, *why;
    } refusals[2];
} pld_option_row;

/** Begins the initialiser of `about`. */
#define PLD_OPTION(type_, name_)                                                                             \
    .struct_size = sizeof(pld_option), .type = PLD_OPTION_##type_, .name = (name_)
#define PLD_RANGE(least, most)   .minimum = (least), .maximum = (most)
#define PLD_LIST_OF(name_, kind) .list = (name_), .list_kind = (kind)

#define PLD_FIELD(of_, type_, name_)                                                                         \
    { .of = (of_), .offset = offsetof(type_, name_), .size = sizeof((type_ *)0)->name_ }
#define PLD_GENERATE(name_) .field = PLD_FIELD(PLD_FIELD_OF_GENERATE, pld_generate_options, name_)
#define PLD_ENGINE(name_)   .field = PLD_FIELD(PLD_FIELD_OF_ENGINE, pld_engine_options, name_)
#define PLD_MODEL(name_)    .field = PLD_FIELD(PLD_FIELD_OF_MODEL, pld_model_options, name_)
#define PLD_IN_FORCE(name_) .in_force = PLD_FIELD(PLD_FIELD_OF_REPORT, pld_report, name_)
#define PLD_GENERATE_LIST(name_, count_)                                                                     \
    .field = {.of = PLD_FIELD_OF_GENERATE,                                                                   \
              .offset = offsetof(pld_generate_options, name_),                                               \
              .size = sizeof((pld_generate_options *)0)->name_,                                              \
              .count_offset = offsetof(pld_generate_options, count_)}

/** Rows of one file. */
typedef struct pld_option_rows {
    const pld_option_row *rows;
    size_t count;
} pld_option_rows;

#define PLD_ROWS(rows_)                                                                                      \
    { .rows = (rows_), .count = sizeof(rows_) / sizeof *(rows_) }

extern const pld_option_rows pld_rows_of_commands, pld_rows_of_picture, pld_rows_of_model, pld_rows_of_pladis,
    pld_rows_of_sampling, pld_rows_of_output, pld_rows_of_run, pld_rows_of_serve, pld_rows_of_bench,
    pld_rows_of_habits;

/** How many rows there are, row `index`, and the row of what is public of it. */
size_t pld_option_count(void);
const pld_option_row *pld_option_row_at(size_t index);
const pld_option_row *pld_option_row_of(const pld_option *option);

/** Whether the words of `list` (may be NULL), blanks between, hold the `length` bytes of `word`. */
bool pld_option_has_word(const char *list, const char *word, size_t length);

#endif
