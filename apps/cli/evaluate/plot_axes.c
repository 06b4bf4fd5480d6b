/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/plot_axes.h"

#include <math.h>
#include <string.h>

#include <utf8proc.h>

#include "values/number.h"

/** Widest a letter is on average in common sans-serif fonts, in parts of its size. */
static const double letter_width = 0.6;
static const double least_inset = 10, longest_name = 165, most_dodge = 7,
                    slant = 0.6 /* sine of the angle, about 35° */;

void plot_print_escaped(FILE *file, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '&':
            fputs("&amp;", file);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, file);
        }
    }
}

double plot_text_width(const char *text) {
    size_t letters = 0;
    for (; *text != '\0'; text++) {
        letters += ((unsigned char)*text & 0xc0) != 0x80; /* not the rest of a letter in UTF-8 */
    }
    return (double)letters * letter_width * PLOT_LETTER;
}

static const sweep_axis *first_axis(const plot_axes *axes) {
    return &axes->grid->axes[0];
}

static bool is_numeric(const sweep_axis *axis) {
    double value = 0;
    bool numeric = true;
    for (size_t i = 0; i < axis->count; i++) {
        numeric = numeric && number_real(axis->values[i], &value);
    }
    return numeric;
}

/** The value of point `index`; where not all are numbers, its place. */
static double x_value(const sweep_axis *axis, size_t index) {
    double value = (double)index;
    if (is_numeric(axis)) {
        number_real(axis->values[index], &value);
    }
    return value;
}

size_t plot_setting(const plot_axes *axes, size_t series, size_t point) {
    return axes->e->settings.cells[axes->index][series * first_axis(axes)->count + point];
}

const interval *plot_value(const plot_panel *panel, size_t series, size_t point) {
    return &panel->axes->e->statistics[plot_setting(panel->axes, series, point)].alignment[panel->group];
}

/** One range of shares for all panels, to tenths. */
static void find_range(plot_axes *axes) {
    axes->y_least = 1;
    axes->y_most = 0;
    for (int group = 0; group < GROUP_COUNT; group++) {
        const plot_panel panel = {.axes = axes, .group = group};
        for (size_t i = 0; i < axes->series * first_axis(axes)->count; i++) {
            const interval *value =
                plot_value(&panel, i / first_axis(axes)->count, i % first_axis(axes)->count);
            if (axes->e->statistics[0].prompts[group] > 0) {
                axes->y_least = fmin(axes->y_least, value->low);
                axes->y_most = fmax(axes->y_most, value->high);
            }
        }
    }
    axes->y_least = floor(10 * axes->y_least + 1e-9) / 10;
    axes->y_most = ceil(10 * axes->y_most - 1e-9) / 10;
    axes->y_most = axes->y_most > axes->y_least ? axes->y_most : axes->y_least + 0.1;
}

static double free_width(const plot_axes *axes) {
    return axes->width - 2 * axes->inset;
}

/** Of the middle of a point, from the left of the drawing area. */
static double x_of(const plot_axes *axes, size_t point) {
    const double range = axes->x_most - axes->x_least;
    const double part = range > 0 ? (x_value(first_axis(axes), point) - axes->x_least) / range : 0.5;
    return axes->inset + part * free_width(axes);
}

/** Smallest distance between neighbours, and the widest name. */
static void measure_names(const plot_axes *axes, double *distance, double *widest) {
    const sweep_axis *axis = first_axis(axes);
    *distance = free_width(axes);
    *widest = 0;
    for (size_t i = 0; i < axis->count; i++) {
        *widest = fmax(*widest, fmin(plot_text_width(axis->values[i]), longest_name));
        for (size_t j = 0; j < i; j++) {
            const double apart = fabs(x_of(axes, i) - x_of(axes, j));
            *distance = apart > 0 ? fmin(*distance, apart) : *distance;
        }
    }
}

void plot_axes_make(const evaluation *e, size_t grid, double width, double height, plot_axes *axes) {
    double distance = 0, widest = 0;
    *axes = (plot_axes){.e = e,
                        .grid = &e->request->grids[grid],
                        .index = grid,
                        .series = 1,
                        .inset = least_inset,
                        .width = width,
                        .height = height,
                        .x_least = INFINITY,
                        .x_most = -INFINITY};
    for (size_t i = 1; i < axes->grid->count; i++) {
        axes->series *= axes->grid->axes[i].count;
    }
    for (size_t i = 0; i < first_axis(axes)->count; i++) {
        axes->x_least = fmin(axes->x_least, x_value(first_axis(axes), i));
        axes->x_most = fmax(axes->x_most, x_value(first_axis(axes), i));
    }
    find_range(axes);
    measure_names(axes, &distance, &widest);
    axes->dodge = fmin(most_dodge, 0.7 * distance / (double)axes->series);
    axes->inset += axes->dodge * (double)(axes->series - 1) / 2;
    measure_names(axes, &distance, &widest);
    axes->slanted = !is_numeric(first_axis(axes)) && widest > 0.95 * distance;
    axes->names_height = PLOT_NAMES_GAP + (axes->slanted ? slant * widest : 0);
}

double plot_x(const plot_panel *panel, size_t series, size_t point) {
    const plot_axes *axes = panel->axes;
    return panel->left + x_of(axes, point) + axes->dodge * ((double)series - (double)(axes->series - 1) / 2);
}

double plot_y(const plot_panel *panel, double share) {
    const plot_axes *axes = panel->axes;
    return panel->top + (axes->y_most - share) / (axes->y_most - axes->y_least) * axes->height;
}

static void print_title(FILE *file, const plot_panel *panel) {
    char name[64];
    snprintf(name, sizeof name, "%s",
             panel->group == GROUP_ALL ? "all categories" : group_name(panel->group));
    for (char *at = name; *at != '\0'; at++) {
        if (*at == '_') {
            *at = ' ';
        }
    }
    const size_t prompts = panel->axes->e->statistics[0].prompts[panel->group];
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\"><tspan font-weight=\"600\">%s</tspan>", panel->left,
            panel->top - 9, name);
    fprintf(file, "<tspan class=\"quiet\" dx=\"6\">%zu prompt%s</tspan></text>\n", prompts,
            prompts == 1 ? "" : "s");
}

static void print_shares(FILE *file, const plot_panel *panel) {
    const plot_axes *axes = panel->axes;
    const double range = axes->y_most - axes->y_least;
    const double step = range > 0.55 ? 0.2 : range > 0.25 ? 0.1 : 0.05;
    const int first = (int)ceil(axes->y_least / step - 1e-9), last = (int)floor(axes->y_most / step + 1e-9);
    for (int line = first; line <= last; line++) {
        const double y = plot_y(panel, line * step);
        fprintf(file, "<path class=\"rule\" d=\"M%.1f %.1fh%.1f\"/>", panel->left, y, axes->width);
        if (panel->first) {
            fprintf(file, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n",
                    panel->left - 6, y + 4, 100 * line * step);
        }
    }
}

/** Letters of `text` that a name has room for, cut between letters. */
static int name_length(const char *text) {
    const int most = (int)(longest_name / (letter_width * PLOT_LETTER));
    int bytes = 0;
    for (int letters = 0; text[bytes] != '\0' && letters < most; letters++) {
        utf8proc_int32_t letter = 0;
        const utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)text + bytes, -1, &letter);
        bytes += length > 0 ? (int)length : 1;
    }
    return bytes;
}

static void print_name(FILE *file, const plot_panel *panel, double x, const char *value) {
    const double y = panel->top + panel->axes->height + PLOT_NAMES_GAP - 2;
    char name[512];
    const int length = name_length(value);
    snprintf(name, sizeof name, "%.*s%s", length < 500 ? length : 500, value,
             value[length] != '\0' ? "…" : "");
    if (panel->axes->slanted) {
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" transform=\"rotate(-35 %.1f %.1f)\">",
                x + 4, y - 4, x + 4, y - 4);
    } else {
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, y);
    }
    plot_print_escaped(file, name);
    fputs("</text>\n", file);
}

/** The values of the option; where numbers lie too close to each other some go without. */
static void print_names(FILE *file, const plot_panel *panel) {
    const plot_axes *axes = panel->axes;
    const sweep_axis *axis = first_axis(axes);
    double used = -INFINITY;
    char title[128];
    for (size_t i = 0; i < axis->count; i++) {
        const double x = panel->left + x_of(axes, i), half = plot_text_width(axis->values[i]) / 2;
        fprintf(file, "<path class=\"tick\" d=\"M%.1f %.1fv4\"/>", x, panel->top + axes->height);
        if (axes->slanted || x - half > used) {
            print_name(file, panel, x, axis->values[i]);
            used = x + half + 2;
        }
    }
    sweep_row_title(axis->row, title, sizeof title);
    fprintf(file, "<path class=\"tick\" d=\"M%.1f %.1fh%.1f\"/>", panel->left, panel->top + axes->height,
            axes->width);
    fprintf(file, "<text class=\"quiet\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
            panel->left + axes->width / 2,
            panel->top + axes->height + axes->names_height + PLOT_AXIS_TITLE - 2, title);
}

void plot_print_frame(FILE *file, const plot_panel *panel) {
    print_title(file, panel);
    print_shares(file, panel);
    print_names(file, panel);
}
