/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/options/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "core/text.h"

enum { MOST_NUMBERS = 1000, LONGEST_WORD = 64, LONGEST_LIST = 700 };

/** "NAME: found …" with what a check or a formatted expectation says. */
#define REFUSE(...) pld_fail(error, PLD_ERROR_ARGUMENT, __VA_ARGS__)

static bool read_integer(const char *text, int64_t *value) {
    const char *digits = text + (*text == '-' || *text == '+'), *end = NULL;
    uint64_t number = 0;
    if (!pld_parse_natural(digits, (uint64_t)INT64_MAX, &number, &end) || *end != '\0') {
        return false;
    }
    *value = *text == '-' ? -(int64_t)number : (int64_t)number;
    return true;
}

/** A finite decimal number filling the whole text: no NaN, infinity, hexadecimal or blanks. */
static bool read_number(const char *text, double *value) {
    const char *end = NULL;
    if (*text == '\0' || strspn(text, "0123456789.eE+-") != strlen(text)) {
        return false;
    }
    *value = pld_parse_real(text, &end);
    return *end == '\0' && end != text && isfinite(*value);
}

static pld_status parse_flag(const pld_option_row *row, const char *text, pld_option_value *value,
                             pld_error *error) {
    static const char on[] = "yes true on 1", off[] = "no false off 0";
    const size_t length = strlen(text);
    value->flag = length == 0 || pld_option_has_word(on, text, length);
    return value->flag || pld_option_has_word(off, text, length)
               ? PLD_OK
               : REFUSE("%s: found \"%.200s\", expected yes or no", row->about.name, text);
}

static pld_status parse_integer(const pld_option_row *row, const char *text, pld_option_value *value,
                                pld_error *error) {
    const pld_option *about = &row->about;
    return read_integer(text, &value->integer) && (double)value->integer >= about->minimum &&
                   (double)value->integer <= about->maximum
               ? PLD_OK
               : REFUSE("%s: found \"%.200s\", expected a whole number from %.0f to %.0f", about->name, text,
                        about->minimum, about->maximum);
}

/** Units of sizes, each 1024 times the one before. */
static const char size_units[] = "KMGT";

/** Bytes: "8G", "1.5 GiB", "800m", "4096". */
static pld_status parse_size(const pld_option_row *row, const char *text, pld_option_value *value,
                             pld_error *error) {
    const size_t length = strspn(text, "0123456789.");
    const char *unit = text + length + strspn(text + length, " "), *known = NULL;
    char digits[24] = "";
    double bytes = 0;
    memcpy(digits, text, length < sizeof digits ? length : 0);
    bool good = read_number(digits, &bytes);
    if (*unit) {
        const char upper = *unit >= 'a' && *unit <= 'z' ? (char)(*unit - 'a' + 'A') : *unit;
        known = strchr(size_units, upper);
        good = good && known &&
               (unit[1] == '\0' || pld_option_has_word("B b iB ib", unit + 1, strlen(unit + 1)));
        bytes *= known ? (double)((int64_t)1 << 10 * (known - size_units + 1)) : 1;
    }
    good = good && bytes >= 1 && bytes <= row->about.maximum;
    value->integer = good ? (int64_t)bytes : 0;
    return good ? PLD_OK
                : REFUSE("%s: found \"%.200s\", expected bytes, as 8G, 1.5G, 800M or 4294967296",
                         row->about.name, text);
}

/** The shortest way to write it that reads as the same. */
static void print_size(int64_t bytes, char *text, size_t size) {
    int unit = 0;
    while (bytes > 0 && bytes % 1024 == 0 && size_units[unit]) {
        bytes /= 1024;
        unit++;
    }
    pld_print_text(text, size, "%" PRId64 "%.*s", bytes, unit > 0, unit > 0 ? size_units + unit - 1 : "");
}

static pld_status parse_number(const pld_option_row *row, const char *text, pld_option_value *value,
                               pld_error *error) {
    const pld_option *about = &row->about;
    const bool good =
        read_number(text, &value->number) && value->number <= about->maximum &&
        (about->above_minimum ? value->number > about->minimum : value->number >= about->minimum);
    return good ? PLD_OK
                : REFUSE("%s: found \"%.200s\", expected a number %s %g %s %g", about->name, text,
                         about->above_minimum ? "above" : "from", about->minimum,
                         about->above_minimum ? "and at most" : "to", about->maximum);
}

static pld_status parse_pair(const pld_option_row *row, const char *text, pld_option_value *value,
                             pld_error *error) {
    const pld_option *about = &row->about;
    char first[24] = "";
    const char *middle = strchr(text, about->separator);
    const bool fits = middle && (size_t)(middle - text) < sizeof first;
    if (fits) {
        memcpy(first, text, (size_t)(middle - text));
    }
    bool good = fits && read_integer(first, &value->pair[0]) && read_integer(middle + 1, &value->pair[1]);
    for (int i = 0; i < 2; i++) {
        good = good && (double)value->pair[i] >= about->minimum && (double)value->pair[i] <= about->maximum;
    }
    return good ? PLD_OK
                : REFUSE("%s: found \"%.200s\", expected %s, each from %.0f to %.0f", about->name, text,
                         about->argument, about->minimum, about->maximum);
}

/** Falling numbers, commas between. */
static pld_status parse_numbers(const pld_option_row *row, const char *text, pld_option_value *value,
                                pld_error *error) {
    const pld_option *about = &row->about;
    size_t capacity = 0;
    double *numbers = NULL;
    pld_status status = PLD_OK;
    for (const char *at = text; status == PLD_OK;) {
        char piece[32] = "";
        double number = 0;
        const size_t length = strcspn(at, ",");
        memcpy(piece, at, length < sizeof piece ? length : 0);
        if (!read_number(piece, &number) || number < about->minimum || number > about->maximum) {
            status = REFUSE(
                "%s: found \"%.*s\" in \"%.200s\", expected numbers from %g to %g separated by commas",
                about->name, (int)(length < 200 ? length : 200), at, text, about->minimum, about->maximum);
        } else if (value->count == MOST_NUMBERS ||
                   (numbers && value->count > 0 && number >= numbers[value->count - 1])) {
            status = REFUSE(
                "%s: found \"%.200s\", expected at most %d numbers, each smaller than the one before it",
                about->name, text, MOST_NUMBERS);
        } else if (!pld_grow((void **)&numbers, &capacity, value->count + 1, sizeof *numbers)) {
            status = pld_fail_memory(error, (value->count + 1) * sizeof *numbers, about->name);
        } else {
            numbers[value->count++] = number;
        }
        if (at[length] == '\0') {
            break;
        }
        at += length + 1;
    }
    if (status != PLD_OK) {
        pld_free(numbers);
        numbers = NULL;
    }
    value->numbers = numbers;
    return status;
}

/** The name of the option's list that a text means: the name itself, or what others call it; else NULL. */
static const char *find_listed(const pld_option *about, const char *text) {
    const char *name = NULL, *description = NULL;
    for (size_t i = 0; about->list && pld_list(about->list_kind, i, &name, &description); i++) {
        if (strcmp(name, text) == 0) {
            return name;
        }
    }
    return about->list ? pld_own_name(about->list_kind, text) : NULL;
}

/** The choice that a text means, or NULL: one of the words, or of the list. */
static const char *find_choice(const pld_option *about, const char *text) {
    return pld_option_has_word(about->choices, text, strlen(text)) ? text : find_listed(about, text);
}

static pld_status refuse_choice(const pld_option *about, const char *text, pld_error *error) {
    const char *name = NULL, *description = NULL, *nearest = NULL;
    char known[LONGEST_LIST] = "";
    size_t best = SIZE_MAX;
    size_t used = (size_t)pld_print_text(known, sizeof known, "%s", about->choices ? about->choices : "");
    for (size_t i = 0; about->list && pld_list(about->list_kind, i, &name, &description); i++) {
        const size_t distance = pld_name_distance(text, name);
        nearest = distance < best ? name : nearest;
        best = distance < best ? distance : best;
        if (used < sizeof known) {
            used += (size_t)pld_print_text(known + used, sizeof known - used, "%s%s", used ? " " : "", name);
        }
    }
    const bool near = nearest && pld_name_is_near(text, best);
    return REFUSE("%s: found \"%.100s\", expected one of: %s%s%s%s", about->name, text, known,
                  near ? "; did you mean \"" : "", near ? nearest : "", near ? "\"?" : "");
}

static pld_status parse_choice(const pld_option_row *row, const char *text, pld_option_value *value,
                               const char **behind, pld_error *error) {
    const char *blank = strrchr(text, ' ');
    const size_t length = blank ? (size_t)(blank - text) : 0;
    char first[LONGEST_WORD] = "";
    value->text = find_choice(&row->about, text);
    if (!value->text && row->joined && blank && length < sizeof first) {
        const pld_option *joined = pld_option_find(NULL, row->joined);
        memcpy(first, text, length);
        value->text = find_listed(&row->about, first);
        *behind = value->text && joined ? find_listed(joined, blank + 1) : NULL;
        value->text = *behind ? value->text : NULL;
    }
    return value->text ? PLD_OK : refuse_choice(&row->about, text, error);
}

/** What a synonym stands for; `text` itself where it is none. */
static const char *resolve_synonym(const pld_option_row *row, const char *text) {
    for (size_t i = 0; i < sizeof row->synonyms / sizeof *row->synonyms; i++) {
        if (row->synonyms[i].written && strcmp(row->synonyms[i].written, text) == 0) {
            return row->synonyms[i].meant;
        }
    }
    return text;
}

static pld_status check_text(const pld_option_row *row, const char *text, pld_error *error) {
    pld_error detail = {0};
    if (row->about.is_file && text[0] == '\0') {
        return REFUSE("%s: found \"\", expected the name of a file or folder", row->about.name);
    }
    return !row->check || row->check(text, &detail) == PLD_OK
               ? PLD_OK
               : pld_fail(error, detail.status, "%s: %.900s", row->about.name, detail.message);
}

pld_status pld_option_parse(const pld_option_row *row, const char *text, pld_option_value *value,
                            const char **behind, pld_error *error) {
    const pld_option *about = &row->about;
    *behind = NULL;
    *value = (pld_option_value){.struct_size = sizeof *value, .is_set = true};
    const char *meant = resolve_synonym(row, text);
    switch (about->type) {
    case PLD_OPTION_FLAG:
        return parse_flag(row, meant, value, error);
    case PLD_OPTION_INTEGER:
        return parse_integer(row, meant, value, error);
    case PLD_OPTION_NUMBER:
        return parse_number(row, meant, value, error);
    case PLD_OPTION_SIZE:
        return parse_size(row, meant, value, error);
    case PLD_OPTION_PAIR:
        return parse_pair(row, meant, value, error);
    case PLD_OPTION_NUMBERS:
        return parse_numbers(row, meant, value, error);
    case PLD_OPTION_CHOICE:
        return parse_choice(row, meant, value, behind, error);
    case PLD_OPTION_TEXT:
    case PLD_OPTION_TEXTS:
        value->text = text;
        return check_text(row, text, error);
    case PLD_OPTION_HABIT:
        return !about->choices || pld_option_has_word(about->choices, text, strlen(text))
                   ? PLD_OK
                   : REFUSE("%s: found \"%.200s\": %s", about->name, text, about->help);
    case PLD_OPTION_MISSING:
        break;
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: %s", about->name, about->help);
}

void pld_option_default(const pld_option_row *row, pld_option_value *value) {
    const pld_option *about = &row->about;
    const char *behind = NULL;
    if (!about->fallback || pld_option_parse(row, about->fallback, value, &behind, NULL) != PLD_OK) {
        *value = (pld_option_value){.number = about->type == PLD_OPTION_NUMBER ? (double)NAN : 0};
    }
    value->struct_size = sizeof *value;
    value->is_set = false;
}

void pld_print_shortest(double value, char text[PLD_NUMBER_TEXT]) {
    if (value == floor(value) && fabs(value) < 1e15) { /* a whole number is one without an exponent */
        pld_print_text(text, PLD_NUMBER_TEXT, "%.0f", value);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        pld_print_text(text, PLD_NUMBER_TEXT, "%.*g", digits, value);
        if (pld_parse_real(text, NULL) == value) {
            return;
        }
    }
}

/** All numbers, or all texts, as one text. */
static char *join(const pld_option_value *value) {
    size_t size = 1, used = 0;
    for (size_t i = 0; i < value->count; i++) {
        size += value->texts ? strlen(value->texts[i]) + 1 : PLD_NUMBER_TEXT + 1;
    }
    char *text = pld_allocate(size, 1);
    for (size_t i = 0; text && i < value->count; i++) {
        char number[PLD_NUMBER_TEXT] = "";
        if (!value->texts) {
            pld_print_shortest(value->numbers[i], number);
        }
        const char *item = value->texts ? value->texts[i] : number;
        text[used] = value->texts ? '\n' : ',';
        used += i > 0;
        memcpy(text + used, item, strlen(item) + 1);
        used += strlen(item);
    }
    return text;
}

pld_status pld_option_print(const pld_option_row *row, const pld_option_value *value, char **text,
                            pld_error *error) {
    char number[2 * PLD_NUMBER_TEXT] = "";
    const char *known = NULL;
    *text = NULL;
    switch (row->about.type) {
    case PLD_OPTION_FLAG:
        known = value->flag ? "yes" : "no";
        break;
    case PLD_OPTION_INTEGER:
        pld_print_text(number, sizeof number, "%" PRId64, value->integer);
        known = value->is_set || row->about.fallback ? number : NULL;
        break;
    case PLD_OPTION_SIZE:
        print_size(value->integer, number, sizeof number);
        known = value->is_set ? number : NULL;
        break;
    case PLD_OPTION_NUMBER:
        pld_print_shortest(value->number, number);
        known = isnan(value->number) ? NULL : number;
        break;
    case PLD_OPTION_PAIR:
        pld_print_text(number, sizeof number, "%" PRId64 "%c%" PRId64, value->pair[0], row->about.separator,
                       value->pair[1]);
        known = value->is_set ? number : NULL;
        break;
    case PLD_OPTION_NUMBERS:
    case PLD_OPTION_TEXTS:
        *text = value->count > 0 ? join(value) : NULL;
        return *text || value->count == 0 ? PLD_OK : pld_fail_memory(error, value->count, row->about.name);
    default:
        known = value->text;
        break;
    }
    *text = known ? pld_copy_string(known) : NULL;
    return *text || !known ? PLD_OK : pld_fail_memory(error, strlen(known), row->about.name);
}
