/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures/facets.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { VALUE = 320, MOST_VALUES = 8 };

static void print_seed(const picture *p, char *text) {
    snprintf(text, VALUE, "%" PRId64, p->seed);
}

static void print_size(const picture *p, char *text) {
    snprintf(text, VALUE, "%d × %d", p->report.width, p->report.height);
}

static void print_preset(const picture *p, char *text) {
    snprintf(text, VALUE, "%s", p->report.preset);
}

static void print_sampler(const picture *p, char *text) {
    snprintf(text, VALUE, "%s", p->report.sampling_method);
}

static void print_scheduler(const picture *p, char *text) {
    snprintf(text, VALUE, "%s", p->report.scheduler);
}

static void print_spacing(const picture *p, char *text) {
    snprintf(text, VALUE, "%s", p->report.spacing);
}

static void print_steps(const picture *p, char *text) {
    snprintf(text, VALUE, "%d", p->report.steps);
}

static void print_strength(const picture *p, char *text) {
    if (p->settings->init_img != NULL) {
        snprintf(text, VALUE, "%g", p->report.strength);
    }
}

static void print_guidance(const picture *p, char *text) {
    snprintf(text, VALUE, "%s", p->report.guidance);
}

static void print_scale(const picture *p, char *text) {
    snprintf(text, VALUE, "%g", p->pladis_scale);
}

static void print_alpha(const picture *p, char *text) {
    if (p->pladis_scale != 0) {
        snprintf(text, VALUE, "%g", p->settings->pladis_alpha);
    }
}

static void print_blocks(const picture *p, char *text) {
    if (p->pladis_scale != 0) {
        snprintf(text, VALUE, "%s", p->settings->pladis_blocks);
    }
}

static void print_interval(const picture *p, char *text) {
    if (p->pladis_scale != 0) {
        snprintf(text, VALUE, "%g to %g", p->settings->pladis_start, p->settings->pladis_end);
    }
}

/** `print` leaves the text empty where a picture has no such facet, as α where λ is 0. `format` is how a
 * common value reads in a line (NULL: not in that line), `plain` the value that goes without saying,
 * `options` those that explain why it differs. */
static const struct {
    const char *name, *format, *plain, *options;
    void (*print)(const picture *p, char *text);
} rows[FACET_COUNT] = {
    [FACET_SEED] = {"seed", "seed %s", NULL, "seed", print_seed},
    [FACET_SIZE] = {"size", "%s", NULL, "width height", print_size},
    [FACET_PRESET] = {"preset", "preset %s", NULL, "preset", print_preset},
    [FACET_SAMPLER] = {"sampler", "%s", NULL, "sampling-method preset", print_sampler},
    [FACET_SCHEDULER] = {"scheduler", NULL, NULL, "scheduler sampling-method preset", print_scheduler},
    [FACET_SPACING] = {"spacing", NULL, NULL, "spacing sampling-method preset", print_spacing},
    [FACET_STEPS] = {"steps", "%s steps", NULL, "steps timesteps preset", print_steps},
    [FACET_STRENGTH] = {"strength", "strength %s", NULL, "strength", print_strength},
    [FACET_GUIDANCE] = {"guidance", "%s", "none", "guidance cfg-scale cfg-rescale preset", print_guidance},
    [FACET_SCALE] = {"λ", "λ = %s", NULL, "pladis", print_scale},
    [FACET_ALPHA] = {"α", "α = %s", NULL, "pladis-alpha", print_alpha},
    [FACET_BLOCKS] = {"PLADIS blocks", "PLADIS in %s", "all", "pladis-blocks", print_blocks},
    [FACET_INTERVAL] = {"PLADIS steps", "PLADIS from %s of the steps", "0 to 1", "pladis-start pladis-end",
                        print_interval},
};

/** Different values of a facet, in the order in which they come. */
typedef struct value_list {
    char values[MOST_VALUES][VALUE];
    size_t count;
    bool more; /* than those, the last of which is `last` */
    char last[VALUE];
} value_list;

static void collect(facet which, const picture *pictures, size_t count, value_list *list) {
    list->count = 0;
    list->more = false;
    for (size_t i = 0; i < count; i++) {
        char text[VALUE] = "";
        rows[which].print(&pictures[i], text);
        bool known = text[0] == '\0';
        for (size_t j = 0; !known && j < list->count; j++) {
            known = strcmp(list->values[j], text) == 0;
        }
        if (!known && list->count < MOST_VALUES) {
            memcpy(list->values[list->count++], text, sizeof text);
        } else if (!known) {
            memcpy(list->last, text, sizeof text);
            list->more = true;
        }
    }
}

bool facets_one_prompt(const picture *pictures, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(pictures[i].prompt, pictures[0].prompt) != 0) {
            return false;
        }
    }
    return true;
}

bool facets_agree(facet which, const picture *pictures, size_t count) {
    value_list list;
    collect(which, pictures, count, &list);
    return list.count <= 1;
}

bool facets_value(facet which, const picture *pictures, size_t count, char text[FACETS_TEXT]) {
    value_list list;
    collect(which, pictures, count, &list);
    snprintf(text, FACETS_TEXT, "%s", list.count == 1 ? list.values[0] : "");
    return list.count == 1;
}

void facets_append(char text[FACETS_TEXT], const char *format, ...) {
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, FACETS_TEXT - used, format, arguments);
    va_end(arguments);
}

/** Add a common value as its row's format, which has one %s, wants it; not one that goes without saying. */
static void append_common(char text[FACETS_TEXT], int which, const char *value) {
    const char *format = rows[which].format, *place = strstr(format, "%s");
    if (rows[which].plain == NULL || strcmp(value, rows[which].plain) != 0) {
        facets_append(text, "%s%.*s%s%s", text[0] != '\0' ? ", " : "", (int)(place - format), format, value,
                      which == FACET_STEPS && strcmp(value, "1") == 0 ? " step" : place + 2);
    }
}

void facets_common(const picture *pictures, size_t count, char text[FACETS_TEXT]) {
    value_list list;
    text[0] = '\0';
    for (int i = 0; i < FACET_COUNT; i++) {
        if (rows[i].format == NULL) {
            continue;
        }
        collect((facet)i, pictures, count, &list);
        if (list.count == 1) {
            append_common(text, i, list.values[0]);
        }
    }
}

/** Whether `name` is one of the words of `list`. */
static bool is_listed(const char *list, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = strstr(list, name); at != NULL; at = strstr(at + 1, name)) {
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/** Whether the run was asked to vary an option that explains the facet. */
static bool is_explained(const picture_list *pictures, int which) {
    for (size_t i = 0; i < PICTURE_AXES; i++) {
        const sweep_axis *axis = pictures->axes[i];
        if (axis != NULL && is_listed(rows[which].options, axis->row->name)) {
            return true;
        }
    }
    return false;
}

static void append_axis_name(char text[FACETS_TEXT], const sweep_axis *axis) {
    char title[FACETS_TEXT];
    sweep_row_title(axis->row, title, sizeof title);
    facets_append(text, "%s", axis->row->symbol != NULL ? axis->row->symbol : title);
}

void facets_ahead(const picture_list *pictures, char text[FACETS_TEXT]) {
    value_list list;
    char varying[FACETS_TEXT] = "";
    text[0] = '\0';
    for (size_t i = 0; i < PICTURE_AXES; i++) {
        if (pictures->axes[i] != NULL) {
            facets_append(varying, "%s", varying[0] != '\0' ? ", " : "; varies: ");
            append_axis_name(varying, pictures->axes[i]);
        }
    }
    if (varying[0] == '\0' && !facets_one_prompt(pictures->items, pictures->count)) {
        facets_append(varying, "; varies: prompt");
    }
    for (int i = 0; i < FACET_COUNT; i++) {
        collect((facet)i, pictures->items, pictures->count, &list);
        if (is_explained(pictures, i) || rows[i].format == NULL) {
            continue;
        }
        if (list.count > 1) {
            facets_append(varying, "%s%s", varying[0] != '\0' ? ", " : "; varies: ", rows[i].name);
        } else if (list.count == 1) {
            append_common(text, i, list.values[0]);
        }
    }
    facets_append(text, "%s", varying);
}

static void append_axis(char text[FACETS_TEXT], const sweep_axis *axis) {
    facets_append(text, "%s", text[0] != '\0' ? "; " : "");
    append_axis_name(text, axis);
    facets_append(text, " ");
    for (size_t i = 0; i < axis->count; i++) {
        if (i < MOST_VALUES || i + 1 == axis->count) {
            facets_append(text, "%s%s%s", i > 0 ? " / " : "", i > MOST_VALUES ? "… / " : "", axis->values[i]);
        }
    }
}

void facets_varying(const picture_list *pictures, char text[FACETS_TEXT]) {
    value_list list;
    text[0] = '\0';
    for (size_t i = 0; i < PICTURE_AXES; i++) {
        if (pictures->axes[i] != NULL && pictures->axes[i]->count > 1) {
            append_axis(text, pictures->axes[i]);
        }
    }
    if (text[0] == '\0' && !facets_one_prompt(pictures->items, pictures->count)) {
        facets_append(text, "prompt"); /* too long to be listed */
    }
    for (int i = 0; i < FACET_COUNT; i++) {
        collect((facet)i, pictures->items, pictures->count, &list);
        if (list.count <= 1 || is_explained(pictures, i)) {
            continue;
        }
        facets_append(text, "%s%s ", text[0] != '\0' ? "; " : "", rows[i].name);
        for (size_t j = 0; j < list.count; j++) {
            facets_append(text, "%s%s", j > 0 ? " / " : "", list.values[j]);
        }
        if (list.more) {
            facets_append(text, " / … / %s", list.last);
        }
    }
}
