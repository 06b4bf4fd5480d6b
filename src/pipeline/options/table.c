/* SPDX-License-Identifier: Apache-2.0 */
/** All rows as one table, and names in it. */
#include <string.h>

#include "pipeline/options/row.h"

/** In the order in which they are told of. */
static const pld_option_rows *const sections[] = {
    &pld_rows_of_commands, &pld_rows_of_picture, &pld_rows_of_model, &pld_rows_of_pladis,
    &pld_rows_of_sampling, &pld_rows_of_output,  &pld_rows_of_bench, &pld_rows_of_run,
    &pld_rows_of_serve,    &pld_rows_of_habits,
};
enum { SECTIONS = sizeof sections / sizeof *sections };

size_t pld_option_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < SECTIONS; i++) {
        count += sections[i]->count;
    }
    return count;
}

const pld_option_row *pld_option_row_at(size_t index) {
    for (size_t i = 0; i < SECTIONS; i++) {
        if (index < sections[i]->count) {
            return &sections[i]->rows[index];
        }
        index -= sections[i]->count;
    }
    return NULL;
}

const pld_option *pld_option_at(size_t index) {
    const pld_option_row *row = pld_option_row_at(index);
    return row ? &row->about : NULL;
}

size_t pld_option_index(const pld_option *option) {
    size_t index = 0;
    for (const pld_option *at = NULL; (at = pld_option_at(index)) != NULL && at != option;) {
        index++;
    }
    return index;
}

const pld_option_row *pld_option_row_of(const pld_option *option) {
    return option ? pld_option_row_at(pld_option_index(option)) : NULL;
}

/** Equal but for dashes and underscores. */
static bool same_name(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((a[i] == '_' ? '-' : a[i]) != (b[i] == '_' ? '-' : b[i])) {
            return false;
        }
    }
    return true;
}

/** Word `*at` of a list, which moves on; its length, 0 at the end. */
static size_t next_word(const char **at) {
    *at += strspn(*at, " ");
    return strcspn(*at, " ");
}

bool pld_option_has_word(const char *list, const char *word, size_t length) {
    const char *at = list ? list : "";
    for (size_t size = 0; (size = next_word(&at)) > 0; at += size) {
        if (size == length && memcmp(at, word, length) == 0) {
            return true;
        }
    }
    return false;
}

bool pld_option_belongs(const pld_option *option, const char *command) {
    return pld_option_has_word(option->commands, command, strlen(command));
}

const char *pld_option_refusal(const pld_option *option, const char *command) {
    const pld_option_row *row = pld_option_row_of(option);
    if (!row) {
        return NULL;
    }
    if (option->type == PLD_OPTION_MISSING && pld_option_belongs(option, command)) {
        return option->help;
    }
    for (size_t i = 0; i < sizeof row->refusals / sizeof *row->refusals; i++) {
        if (row->refusals[i].command && strcmp(row->refusals[i].command, command) == 0) {
            return row->refusals[i].why;
        }
    }
    return NULL;
}

/** Whether the command has the option, or refuses it with a reason. */
static bool is_known(const pld_option *option, const char *command) {
    return pld_option_belongs(option, command) || pld_option_refusal(option, command);
}

static bool is_called(const pld_option *option, const char *name) {
    const size_t length = strlen(name);
    const char *at = option->aliases ? option->aliases : "";
    if (strlen(option->name) == length && same_name(option->name, name, length)) {
        return true;
    }
    for (size_t size = 0; (size = next_word(&at)) > 0; at += size) {
        if (size == length && same_name(at, name, length)) {
            return true;
        }
    }
    return false;
}

const pld_option *pld_option_find(const char *command, const char *name) {
    command = command ? command : "generate";
    for (size_t i = 0; name && pld_option_at(i); i++) {
        const pld_option *option = pld_option_at(i);
        if (is_called(option, name) && is_known(option, command)) {
            return option;
        }
    }
    return NULL;
}

const pld_option *pld_option_find_letter(const char *command, char letter) {
    command = command ? command : "generate";
    for (size_t i = 0; letter && pld_option_at(i); i++) {
        const pld_option *option = pld_option_at(i);
        if (option->letter == letter && is_known(option, command)) {
            return option;
        }
    }
    return NULL;
}

static size_t smaller(size_t first, size_t second) {
    return first < second ? first : second;
}

size_t pld_name_distance(const char *first, const char *second) {
    enum { LONGEST = 48 };
    const size_t rows = strlen(first);
    const size_t columns = strlen(second);
    size_t cost[LONGEST + 1][LONGEST + 1];
    if (rows > LONGEST || columns > LONGEST) {
        return LONGEST;
    }
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const size_t changed = cost[i - 1][j - 1] + (first[i - 1] != second[j - 1]);
            cost[i][j] = smaller(changed, smaller(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && first[i - 1] == second[j - 2] && first[i - 2] == second[j - 1]) {
                cost[i][j] = smaller(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[rows][columns];
}

bool pld_name_is_near(const char *name, size_t distance) {
    return distance <= 1 + strlen(name) / 4;
}

const char *pld_option_nearest(const char *command, const char *name) {
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    command = command ? command : "generate";
    for (size_t i = 0; name && pld_option_at(i); i++) {
        const pld_option *option = pld_option_at(i);
        if (!pld_option_belongs(option, command) || option->type >= PLD_OPTION_HABIT) {
            continue;
        }
        size_t distance = pld_name_distance(name, option->name);
        const char *at = option->aliases ? option->aliases : "";
        for (size_t size = 0; (size = next_word(&at)) > 0; at += size) {
            char alias[64] = "";
            memcpy(alias, at, smaller(size, sizeof alias - 1));
            distance = smaller(distance, pld_name_distance(name, alias));
        }
        if (distance < best) {
            best = distance;
            nearest = option->name;
        }
    }
    return nearest && strlen(name) > 1 && pld_name_is_near(name, best) ? nearest : NULL;
}
