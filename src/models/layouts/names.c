/* SPDX-License-Identifier: Apache-2.0 */
#include "models/layouts/names.h"

#include <stdio.h>
#include <string.h>

enum { VARIABLES = 2, LARGEST = 100000 };

/** What {…} stands for: factor[0]·a + factor[1]·b + constant + (n if from_last). */
typedef struct expression {
    int factor[VARIABLES];
    int constant;
    bool from_last;
} expression;

/** Parse from behind the brace; the place behind the closing one. Patterns are this program's own. */
static const char *parse_expression(const char *text, expression *e) {
    *e = (expression){0};
    for (int sign = 1; *text && *text != '}';) {
        int number = 0;
        bool digits = false;
        for (; *text >= '0' && *text <= '9'; text++) {
            number = 10 * number + (*text - '0');
            digits = true;
        }
        if (*text == 'a' || *text == 'b') {
            e->factor[*text - 'a'] += sign * (digits ? number : 1);
            text++;
        } else if (*text == 'n') {
            e->from_last = true;
            text++;
        } else {
            e->constant += sign * number;
        }
        if (*text == '+' || *text == '-') {
            sign = *text == '+' ? 1 : -1;
            text++;
        }
    }
    return *text ? text + 1 : text;
}

/** Find the variables that make the expression `value`. */
static bool solve(const expression *e, int last, int value, int variables[VARIABLES]) {
    int rest = value - e->constant - (e->from_last ? last : 0);
    if (e->factor[0] < 0) {
        rest = -rest;
    }
    const int factor = e->factor[0] < 0 ? -e->factor[0] : e->factor[0];
    if (rest < 0) {
        return false;
    }
    if (!factor) { /* {b} alone, or a constant */
        if (e->factor[1]) {
            variables[1] = rest;
        }
        return e->factor[1] || rest == 0;
    }
    if (e->factor[1]) {
        variables[1] = rest % factor;
    } else if (rest % factor) {
        return false;
    }
    variables[0] = rest / factor;
    return true;
}

/** A number without leading zeros, as names have it. */
static bool read_number(const char **text, int *number) {
    const char *c = *text;
    if (*c < '0' || *c > '9' || (*c == '0' && c[1] >= '0' && c[1] <= '9')) {
        return false;
    }
    for (*number = 0; *c >= '0' && *c <= '9' && *number < LARGEST; c++) {
        *number = 10 * *number + (*c - '0');
    }
    *text = c;
    return *number < LARGEST;
}

/** Whether `name` begins with `pattern`; the rest of the name goes to `*rest`. */
static bool match(const char *pattern, int last, const char *name, int variables[VARIABLES],
                  const char **rest) {
    char final = 0;
    while (*pattern) {
        final = *pattern;
        if (*pattern == '{') {
            expression e;
            int value = 0;
            pattern = parse_expression(pattern + 1, &e);
            if (!read_number(&name, &value) || !solve(&e, last, value, variables)) {
                return false;
            }
        } else if (*pattern++ != *name++) {
            return false;
        }
    }
    *rest = name;
    return *name ? final == '.' || final == 0 : final != '.';
}

/** Write `pattern` with its numbers at `out` + `used`; false when there is no room or a number is negative.
 */
static bool fill(const char *pattern, int last, const int variables[VARIABLES], char *out, size_t *used) {
    while (*pattern) {
        if (*used + 16 >= PLD_LAYOUT_NAME) {
            return false;
        }
        if (*pattern == '{') {
            expression e;
            pattern = parse_expression(pattern + 1, &e);
            const int value = e.factor[0] * variables[0] + e.factor[1] * variables[1] + e.constant +
                              (e.from_last ? last : 0);
            if (value < 0) {
                return false;
            }
            *used += (size_t)snprintf(out + *used, 16, "%d", value);
        } else {
            out[(*used)++] = *pattern++;
        }
    }
    out[*used] = '\0';
    return true;
}

/** One direction of a look-up. */
typedef struct lookup {
    bool to_original;
    int last;
    pld_has_name has;
    const void *user;
    pld_renamed *renamed;
    size_t count;
} lookup;

static bool is_beside(const lookup *at, const char *beside, const int variables[VARIABLES]) {
    char name[PLD_LAYOUT_NAME];
    size_t used = 0;
    return !at->to_original || !beside || !at->has ||
           (fill(beside, at->last, variables, name, &used) && at->has(at->user, name));
}

/** Look `name` up in one table, with `used` characters of the result already in `start`. */
static void look_up(lookup *at, const pld_name_rule *rules, const char *name, const char *start,
                    size_t used) {
    for (const pld_name_rule *rule = rules; rule->original && at->count < PLD_MOST_RENAMED; rule++) {
        int variables[VARIABLES] = {0};
        const char *rest = NULL;
        char made[PLD_LAYOUT_NAME];
        size_t length = used;
        memcpy(made, start, used);
        if (!match(at->to_original ? rule->diffusers : rule->original, at->last, name, variables, &rest) ||
            !is_beside(at, rule->beside, variables) ||
            !fill(at->to_original ? rule->original : rule->diffusers, at->last, variables, made, &length)) {
            continue;
        }
        if (rule->inside) {
            look_up(at, rule->inside, rest, made, length);
        } else if (length + strlen(rest) < PLD_LAYOUT_NAME) { /* room for the end, too */
            pld_renamed *result = &at->renamed[at->count++];
            memcpy(result->name, made, length);
            memcpy(result->name + length, rest, strlen(rest) + 1);
            result->form = rule->form;
            result->rows = rule->rows;
        }
        if (at->count > 0) {
            const pld_row_part rows = at->renamed[at->count - 1].rows;
            if (at->to_original || rows.first + rows.count >= rows.of) {
                return;
            }
        }
    }
}

size_t pld_names_to_diffusers(const pld_name_rule *rules, int last, const char *original,
                              pld_renamed renamed[PLD_MOST_RENAMED]) {
    lookup at = {.last = last, .renamed = renamed};
    look_up(&at, rules, original, "", 0);
    return at.count;
}

bool pld_names_to_original(const pld_name_rule *rules, int last, const char *name, pld_has_name has,
                           const void *user, pld_renamed *renamed) {
    pld_renamed found[PLD_MOST_RENAMED];
    lookup at = {.to_original = true, .last = last, .has = has, .user = user, .renamed = found};
    look_up(&at, rules, name, "", 0);
    if (at.count > 0) {
        *renamed = found[0];
    }
    return at.count > 0;
}
