/* SPDX-License-Identifier: Apache-2.0 */
/** Names of tensors in other layouts than diffusers': tables of patterns, read in both directions.
 *
 *  A rule says that names beginning with `original` begin with `diffusers` there. Patterns are text with
 *  numbers in braces: {a} is any number; {3a+b+1} stands for 3·a + b + 1 with 0 <= b < 3; {3a+3} for a
 *  multiple of three above zero; {n-a} counts down from a given number. A pattern that ends in a dot is the
 *  start of a name, any other is a whole name. What follows the start is looked up in `inside`, or kept.
 *
 *  Where several rules fit, the first counts; the parts of a fused tensor are as many rules, the last rows last.
 *  Rules behind the first that fits are for the other direction (old names that mean the same).
 */
#ifndef PLD_MODELS_LAYOUTS_NAMES_H
#define PLD_MODELS_LAYOUTS_NAMES_H

#include "io/tensors/weight_files.h"

enum { PLD_LAYOUT_NAME = 640, PLD_MOST_RENAMED = 4 };

/** How diffusers' tensor comes out of the original one. */
typedef enum pld_name_form {
    PLD_FORM_SAME,
    PLD_FORM_ROWS, /**< some of its rows, or all in another order */
    PLD_FORM_TRANSPOSED,
    PLD_FORM_CONV_1X1 /**< a weight [N, C, 1, 1] there, [N, C] in diffusers */
} pld_name_form;

typedef struct pld_name_rule {
    const char *original;
    const char *diffusers;
    const struct pld_name_rule *inside; /**< rules for the rest; NULL: it stays */
    pld_name_form form;
    pld_row_part rows;  /**< of PLD_FORM_ROWS */
    const char *beside; /**< to the original only where diffusers has this tensor too; may be NULL */
} pld_name_rule;

/** A row of a table: the two names, then fields by name where they differ from nothing. */
#define PLD_RENAME(from, ...)                                                                                \
    { .original = (from), .diffusers = __VA_ARGS__ }

/** The form of a row of the table: `count` of `of` equal parts of the original's rows, from `first` on. */
#define PLD_ROW_PART(first, count, of) .form = PLD_FORM_ROWS, .rows = {first, count, of}

typedef struct pld_renamed {
    char name[PLD_LAYOUT_NAME];
    pld_name_form form;
    pld_row_part rows; /**< of PLD_FORM_ROWS */
} pld_renamed;

/** Whether a diffusers tensor of this name is there (for `beside`). */
typedef bool (*pld_has_name)(const void *user, const char *name);

/** Diffusers' names for `original`: their number, 0 when no rule fits. `last` is the n of {n-a}. */
size_t pld_names_to_diffusers(const pld_name_rule *rules, int last, const char *original,
                              pld_renamed renamed[PLD_MOST_RENAMED]);

/** The original name for diffusers' `name`; false when no rule fits. `has` may be NULL: every tensor is. */
bool pld_names_to_original(const pld_name_rule *rules, int last, const char *name, pld_has_name has,
                           const void *user, pld_renamed *renamed);

#endif
