/* SPDX-License-Identifier: Apache-2.0 */
/** Values into the fields of option structs, and out of a report. */
#include <string.h>

#include "core/sized.h"
#include "core/status.h"
#include "pipeline/options/options.h"
#include "pipeline/options/value.h"

/** Write a whole number as wide as the field is. */
static void write_integer(char *place, size_t size, int64_t value) {
    const int narrow = (int)value;
    memcpy(place, size == sizeof value ? (const void *)&value : (const void *)&narrow, size);
}

static void write_field(const pld_option_row *row, const pld_option_value *value, char *target) {
    const pld_option_field *field = &row->field;
    char *place = target + field->offset;
    switch (row->about.type) {
    case PLD_OPTION_FLAG:
        memcpy(place, &value->flag, sizeof value->flag);
        break;
    case PLD_OPTION_INTEGER:
    case PLD_OPTION_SIZE:
        write_integer(place, field->size, value->integer);
        break;
    case PLD_OPTION_NUMBER:
        memcpy(place, &value->number, sizeof value->number);
        break;
    case PLD_OPTION_PAIR:
        write_integer(place, field->size, value->pair[0]);
        write_integer(place + field->size, field->size, value->pair[1]);
        break;
    case PLD_OPTION_NUMBERS:
        memcpy(place, &value->numbers, sizeof value->numbers);
        memcpy(target + field->count_offset, &value->count, sizeof value->count);
        break;
    case PLD_OPTION_TEXTS:
        memcpy(place, &value->texts, sizeof value->texts);
        memcpy(target + field->count_offset, &value->count, sizeof value->count);
        break;
    default:
        memcpy(place, &value->text, sizeof value->text);
        break;
    }
}

/** Whether all of the row's field lies in a struct of `size` bytes. */
static bool fits(const pld_option_row *row, size_t size) {
    const size_t parts = row->about.type == PLD_OPTION_PAIR ? 2 : 1;
    return row->field.offset + parts * row->field.size <= size &&
           (row->field.count_offset == 0 || row->field.count_offset + sizeof(size_t) <= size);
}

void pld_options_defaults(pld_option_struct of, void *target, size_t size) {
    for (size_t i = 0; pld_option_row_at(i); i++) {
        const pld_option_row *row = pld_option_row_at(i);
        pld_option_value value;
        if (row->field.of == of && fits(row, size)) {
            pld_option_default(row, &value);
            write_field(row, &value, target);
        }
    }
}

/** A flag that stands for a value of another option. */
static void apply_shorthand(const pld_option_row *flag, pld_option_struct of, char *target, size_t size) {
    const pld_option_row *row = pld_option_row_of(pld_option_find(NULL, flag->sets));
    pld_option_value value;
    const char *behind = NULL;
    if (row && row->field.of == of && fits(row, size) &&
        pld_option_parse(row, flag->sets_to, &value, &behind, NULL) == PLD_OK) {
        write_field(row, &value, target);
    }
}

static void fill(const pld_options *options, pld_option_struct of, void *target) {
    if (!options || !target) {
        return;
    }
    const size_t size = pld_sized_size(target);
    for (size_t i = 0; pld_option_row_at(i); i++) {
        const pld_option_row *row = pld_option_row_at(i);
        if (row->field.of == of && fits(row, size) && options->values[i].is_set) {
            write_field(row, &options->values[i], target);
        }
    }
    for (size_t i = 0; pld_option_row_at(i); i++) {
        if (pld_option_row_at(i)->sets && options->values[i].flag) {
            apply_shorthand(pld_option_row_at(i), of, target, size);
        }
    }
}

void pld_options_generate(const pld_options *options, pld_generate_options *filled) {
    fill(options, PLD_FIELD_OF_GENERATE, filled);
}

void pld_options_engine(const pld_options *options, pld_engine_options *filled) {
    fill(options, PLD_FIELD_OF_ENGINE, filled);
}

void pld_options_model(const pld_options *options, pld_model_options *filled) {
    fill(options, PLD_FIELD_OF_MODEL, filled);
}

/** What a report has in the place of an option. */
static pld_option_value read_report(const pld_option_row *row, const char *report) {
    const char *place = report + row->in_force.offset;
    pld_option_value value = {.struct_size = sizeof value, .is_set = true};
    int integer = 0;
    if (row->about.type == PLD_OPTION_INTEGER) {
        memcpy(&integer, place, sizeof integer);
        value.integer = integer;
    } else if (row->about.type == PLD_OPTION_NUMBER) {
        memcpy(&value.number, place, sizeof value.number);
    } else {
        value.text = place[0] != '\0' ? place : row->none_word;
        value.is_set = value.text != NULL;
    }
    return value;
}

pld_status pld_options_take_report(pld_options *options, const pld_report *report, pld_error *error) {
    PLD_NEED(options);
    PLD_NEED(report);
    PLD_TRY(pld_sized_check("pld_report", report, error));
    const size_t size = pld_sized_size(report);
    for (size_t i = 0; pld_option_row_at(i); i++) {
        const pld_option_row *row = pld_option_row_at(i);
        if (row->in_force.of != PLD_FIELD_OF_REPORT || row->in_force.offset + row->in_force.size > size) {
            continue;
        }
        const pld_option_value value = read_report(row, (const char *)report);
        if (value.is_set) {
            PLD_TRY(pld_options_put(options, i, &value, error));
        } else {
            pld_options_reset(options, &row->about);
        }
    }
    return PLD_OK;
}
