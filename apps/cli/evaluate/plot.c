/* SPDX-License-Identifier: Apache-2.0 */
/** Plots as SVG: alignment against the first option of a grid, a line for each combination of the others, a
 * panel for all prompts and for each category. Thin bars are 95 % confidence intervals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/evaluation.h"
#include "message.h"
#include "number.h"

enum {
    PANEL_WIDTH = 250,
    PANEL_HEIGHT = 210,
    COLUMNS = 4,
    LEFT = 40,
    RIGHT = 12,
    TOP = 26,
    BOTTOM = 38,
    LEGEND_LINE = 16,
    INSET = 8,
    COLOUR_COUNT = 8
};

/** Okabe and Ito's colours, which stay apart for most eyes. */
static const char *const colours[COLOUR_COUNT] = {"#000000", "#0072b2", "#d55e00", "#009e73",
                                                  "#cc79a7", "#e69f00", "#56b4e9", "#999999"};

/** A panel's scales. */
typedef struct panel {
    const evaluation *e;
    size_t grid;
    int group;
    double left, top;       /* of the drawing area */
    double x_least, x_most; /* values of the option */
    double y_least, y_most; /* alignment */
} panel;

static void print_escaped(FILE *file, const char *text) {
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

static const evaluate_grid *grid_of(const panel *p) {
    return &p->e->request->grids[p->grid];
}

static size_t series_count(const evaluate_grid *grid) {
    size_t count = 1;
    for (size_t i = 1; i < grid->count; i++) {
        count *= grid->axes[i].count;
    }
    return count;
}

/** The value of point `index`; where not all are numbers, its place. */
static double x_value(const sweep_axis *axis, size_t index) {
    double value = 0;
    for (size_t i = 0; i < axis->count; i++) {
        if (!number_real(axis->values[i], &value)) {
            return (double)index;
        }
    }
    number_real(axis->values[index], &value);
    return value;
}

static size_t setting_at(const panel *p, size_t series, size_t point) {
    return p->e->settings.cells[p->grid][series * grid_of(p)->axes[0].count + point];
}

static void find_scales(panel *p) {
    const sweep_axis *axis = &grid_of(p)->axes[0];
    p->x_least = p->y_least = INFINITY;
    p->x_most = p->y_most = -INFINITY;
    for (size_t i = 0; i < axis->count; i++) {
        p->x_least = fmin(p->x_least, x_value(axis, i));
        p->x_most = fmax(p->x_most, x_value(axis, i));
        for (size_t series = 0; series < series_count(grid_of(p)); series++) {
            const interval *a = &p->e->statistics[setting_at(p, series, i)].alignment[p->group];
            p->y_least = fmin(p->y_least, a->low);
            p->y_most = fmax(p->y_most, a->high);
        }
    }
    p->y_least = floor(10 * p->y_least) / 10;
    p->y_most = ceil(10 * p->y_most) / 10;
    p->y_most = p->y_most > p->y_least ? p->y_most : p->y_least + 0.1;
    p->x_most = p->x_most > p->x_least ? p->x_most : p->x_least + 1;
}

static double x_place(const panel *p, double value) {
    const double width = PANEL_WIDTH - LEFT - RIGHT - 2 * INSET;
    return p->left + INSET + (value - p->x_least) / (p->x_most - p->x_least) * width;
}

static double y_place(const panel *p, double value) {
    return p->top + (p->y_most - value) / (p->y_most - p->y_least) * (PANEL_HEIGHT - TOP - BOTTOM);
}

static void print_frame(FILE *file, const panel *p) {
    const sweep_axis *axis = &grid_of(p)->axes[0];
    const double right = p->left + PANEL_WIDTH - LEFT - RIGHT, bottom = p->top + PANEL_HEIGHT - TOP - BOTTOM;
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" font-weight=\"bold\">%s (%zu prompts)</text>\n", p->left,
            p->top - 8, group_name(p->group), p->e->statistics[0].prompts[p->group]);
    const double step = p->y_most - p->y_least > 0.55 ? 0.2 : p->y_most - p->y_least > 0.25 ? 0.1 : 0.05;
    const int lines = 1 + (int)((p->y_most - p->y_least + 1e-9) / step);
    for (int line = 0; line < lines; line++) {
        const double y = p->y_least + line * step;
        fprintf(file, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>", p->left,
                right, y_place(p, y), y_place(p, y));
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.0f %%</text>\n", p->left - 4,
                y_place(p, y) + 4, 100 * y);
    }
    for (size_t i = 0; i < axis->count; i++) {
        const double x = x_place(p, x_value(axis, i));
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, bottom + 14);
        print_escaped(file, axis->values[i]);
        fputs("</text>\n", file);
    }
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", (p->left + right) / 2,
            bottom + 29, axis->row->name);
}

static void print_series(FILE *file, const panel *p, size_t series) {
    const sweep_axis *axis = &grid_of(p)->axes[0];
    const char *colour = colours[series % COLOUR_COUNT];
    const char *dash = series >= COLOUR_COUNT ? " stroke-dasharray=\"4 2\"" : "";
    /* Beside each other by a little, so that the bars can be told apart. */
    const double shift = 1.5 * ((double)series - (double)(series_count(grid_of(p)) - 1) / 2);
    fprintf(file, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\"%s points=\"", colour, dash);
    for (size_t i = 0; i < axis->count; i++) {
        const interval *a = &p->e->statistics[setting_at(p, series, i)].alignment[p->group];
        fprintf(file, "%.1f,%.1f ", x_place(p, x_value(axis, i)) + shift, y_place(p, a->mean));
    }
    fputs("\"/>\n", file);
    for (size_t i = 0; i < axis->count; i++) {
        const interval *a = &p->e->statistics[setting_at(p, series, i)].alignment[p->group];
        const double x = x_place(p, x_value(axis, i)) + shift;
        fprintf(
            file,
            "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-opacity=\"0.45\"/>"
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\" fill=\"%s\"/>\n",
            x, x, y_place(p, a->low), y_place(p, a->high), colour, x, y_place(p, a->mean), colour);
    }
}

/** What a line stands for: the values of all options but the first. */
static void print_legend(FILE *file, const panel *p) {
    const evaluate_grid *grid = grid_of(p);
    for (size_t series = 0; series < series_count(grid); series++) {
        const double y = p->top + LEGEND_LINE * (double)series;
        size_t rest = series;
        fprintf(file,
                "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\"%s/>",
                p->left - 20, p->left, y, y, colours[series % COLOUR_COUNT],
                series >= COLOUR_COUNT ? " stroke-dasharray=\"4 2\"" : "");
        fprintf(file, "<text x=\"%.1f\" y=\"%.1f\">", p->left + 6, y + 4);
        for (size_t i = 1; i < grid->count; i++) {
            fprintf(file, "%s%s ", i > 1 ? ", " : "", grid->axes[i].row->name);
            print_escaped(file, grid->axes[i].values[rest % grid->axes[i].count]);
            rest /= grid->axes[i].count;
        }
        fputs("</text>\n", file);
    }
}

static void print_plot(FILE *file, const evaluation *e, size_t grid) {
    const size_t legend = LEGEND_LINE * series_count(&e->request->grids[grid]) + TOP + 8;
    const size_t second = legend > PANEL_HEIGHT ? legend : PANEL_HEIGHT;
    size_t place = 0;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %zu\" font-family=\"sans-serif\" "
            "font-size=\"11\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            COLUMNS * PANEL_WIDTH, PANEL_HEIGHT + second);
    for (int group = 0; group <= GROUP_COUNT; group++) {
        panel p = {.e = e, .grid = grid, .group = group};
        const size_t column = place % COLUMNS, row = place / COLUMNS;
        p.left = LEFT + (double)column * PANEL_WIDTH;
        p.top = TOP + (double)row * PANEL_HEIGHT;
        if (group == GROUP_COUNT) {
            print_legend(file, &p);
        } else if (e->statistics[0].prompts[group] > 0) {
            find_scales(&p);
            print_frame(file, &p);
            for (size_t series = 0; series < series_count(&e->request->grids[grid]); series++) {
                print_series(file, &p, series);
            }
            place++;
        }
    }
    fputs("</svg>\n", file);
}

int evaluation_write_plots(const evaluation *e) {
    for (size_t i = 0; i < e->request->grid_count; i++) {
        char name[64];
        if (e->request->grids[i].count == 0) {
            continue;
        }
        evaluation_grid_name(e, "alignment", "svg", i, name, sizeof name);
        int code = evaluation_write_text(e, name, i, print_plot);
        if (code != EXIT_DONE) {
            return code;
        }
        message_line("plot      %s/%s", e->request->folder, name);
    }
    return EXIT_DONE;
}
