/* SPDX-License-Identifier: Apache-2.0 */
/** Plots as SVG: alignment against the first option of a grid, a line for each combination of the others, a
 * panel for all prompts and for each category. Colours suit a light and a dark page, by the reader's setting.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "evaluate/evaluation.h"
#include "evaluate/plot_axes.h"
#include "terminal/message.h"

enum {
    PAGE = 1000,
    COLUMNS = 4,
    MARGIN = 24,
    LEFT = 58, /* of the first panel: room for the axis of shares */
    GAP = 18,  /* between panels */
    PANEL_HEIGHT = 150,
    ROW_GAP = 18,
    TITLE = 22,
    LEGEND_LINE = 20,
    CAPTION_LINE = 15,
    COLOURS = 7,
    MARKERS = 8
};

/** Okabe and Ito's colours without yellow and black (Color Universal Design, 2008), which stay apart for most
 * eyes; lightened for a dark page. Beyond them lines are dashed. */
static const char *const light_colours[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#b0609a",
                                                   "#8c6d00", "#57606a", "#2b8cc4"};
static const char *const dark_colours[COLOURS] = {"#4aa8e0", "#ff8f40", "#3fcf9f", "#e39acb",
                                                  "#e0b33a", "#aab4be", "#8fd0f5"};

/** Shapes around the origin, 1 pixel large; the last two are open. */
static const char *const markers[MARKERS] = {"M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
                                             "M-.9-.9h1.8v1.8h-1.8z",
                                             "M0-1.2L1.15.85h-2.3z",
                                             "M0-1.3L1.15 0 0 1.3-1.15 0z",
                                             "M0 1.2L1.15-.85h-2.3z",
                                             "M-.4-1.1h.8v.7h.7v.8h-.7v.7h-.8v-.7h-.7v-.8h.7z",
                                             "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
                                             "M-.9-.9h1.8v1.8h-1.8z"};

static const char *const dashes[] = {"", " stroke-dasharray=\"7 2\"", " stroke-dasharray=\"2.5 2\"",
                                     " stroke-dasharray=\"8 2 2 2\""};
enum { DASHES = sizeof dashes / sizeof *dashes };

static double marker_size(const plot_axes *axes) {
    return fmax(1.8, fmin(3.2, 0.5 * axes->dodge));
}

static void print_marker(FILE *file, size_t series, double x, double y, double size) {
    const size_t kind = series % MARKERS;
    fprintf(file, "<path class=\"%s%zu\" transform=\"translate(%.1f %.1f) scale(%.2f)\" d=\"%s\"/>",
            kind < MARKERS - 2 ? "m" : "o", series % COLOURS, x, y, size, markers[kind]);
}

static void print_series(FILE *file, const plot_panel *panel, size_t series) {
    const size_t points = panel->axes->grid->axes[0].count;
    fprintf(file, "<polyline class=\"l%zu\"%s points=\"", series % COLOURS, dashes[series % DASHES]);
    for (size_t i = 0; i < points; i++) {
        fprintf(file, "%s%.1f,%.1f", i > 0 ? " " : "", plot_x(panel, series, i),
                plot_y(panel, plot_value(panel, series, i)->mean));
    }
    fprintf(file, "\"/>\n<path class=\"l%zu bar\" d=\"", series % COLOURS);
    for (size_t i = 0; i < points; i++) {
        const interval *value = plot_value(panel, series, i);
        fprintf(file, "M%.1f %.1fV%.1f", plot_x(panel, series, i), plot_y(panel, value->low),
                plot_y(panel, value->high));
    }
    fputs("\"/>\n", file);
    for (size_t i = 0; i < points; i++) {
        print_marker(file, series, plot_x(panel, series, i),
                     plot_y(panel, plot_value(panel, series, i)->mean), marker_size(panel->axes));
    }
    fputc('\n', file);
}

/** What a line stands for: the values of all options but the first. */
static void series_name(const plot_axes *axes, size_t series, char *text, size_t size) {
    size_t rest = series;
    text[0] = '\0';
    for (size_t i = 1; i < axes->grid->count; i++) {
        const sweep_axis *axis = &axes->grid->axes[i];
        const size_t used = strlen(text);
        char label[256];
        sweep_axis_label(axis, rest % axis->count, label, sizeof label);
        snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", label);
        rest /= axis->count;
    }
}

/** Lines of names with their signs; `file` may be NULL to measure. Gives the height. */
static double print_legend(FILE *file, const plot_axes *axes, double top) {
    enum { SIGN = 34, BETWEEN = 22 };
    double x = MARGIN, y = top + 12;
    for (size_t series = 0; axes->series > 1 && series < axes->series; series++) {
        char name[1024];
        series_name(axes, series, name, sizeof name);
        const double width = SIGN + plot_text_width(name) + BETWEEN;
        if (x > MARGIN && x + width - BETWEEN > PAGE - MARGIN) {
            x = MARGIN;
            y += LEGEND_LINE;
        }
        if (file != NULL) {
            fprintf(file, "<path class=\"l%zu\"%s d=\"M%.1f %.1fh26\"/>", series % COLOURS,
                    dashes[series % DASHES], x, y - 4);
            print_marker(file, series, x + 13, y - 4, 3.2);
            fprintf(file, "<text x=\"%.1f\" y=\"%.1f\">", x + SIGN, y);
            plot_print_escaped(file, name);
            fputs("</text>\n", file);
        }
        x += width;
    }
    return axes->series > 1 ? y - top + 14 : 0;
}

static void print_style(FILE *file) {
    static const char *const pages[] = {
        ".page{fill:#fff}text{fill:#1f2328}.quiet{fill:#57606a}.rule{stroke:#e4e8ec}.tick{stroke:#8c959f}",
        ".page{fill:#0d1117}text{fill:#e6edf3}.quiet{fill:#9aa4af}.rule{stroke:#262c33}.tick{stroke:#"
        "6e7681}"};
    fputs("<style>polyline,path{fill:none}polyline{stroke-width:1.6;stroke-linejoin:round}.bar{stroke-"
          "opacity:.45}\n",
          file);
    for (int dark = 0; dark < 2; dark++) {
        const char *const *colours = dark ? dark_colours : light_colours;
        fprintf(file, "%s%s\n", dark ? "@media(prefers-color-scheme:dark){" : "", pages[dark]);
        for (int i = 0; i < COLOURS; i++) {
            fprintf(file, ".l%d{stroke:%s}.m%d{fill:%s}.o%d{stroke:%s;stroke-width:.6}", i, colours[i], i,
                    colours[i], i, colours[i]);
        }
        fputs(dark ? "}\n" : "\n", file);
    }
    fputs("</style>\n", file);
}

/** How many panels there are: groups with prompts. */
static size_t count_panels(const evaluation *e) {
    size_t count = 0;
    for (int group = 0; group < GROUP_COUNT; group++) {
        count += e->statistics[0].prompts[group] > 0;
    }
    return count;
}

static void print_panels(FILE *file, const plot_axes *axes, double top, double row_height) {
    size_t place = 0;
    for (int group = 0; group < GROUP_COUNT; group++) {
        if (axes->e->statistics[0].prompts[group] == 0) {
            continue;
        }
        const size_t column = place % COLUMNS, row = place / COLUMNS;
        const plot_panel panel = {.axes = axes,
                                  .group = group,
                                  .left = LEFT + (double)column * (axes->width + GAP),
                                  .top = top + PLOT_TITLE_HEIGHT + (double)row * row_height,
                                  .first = column == 0};
        plot_print_frame(file, &panel);
        for (size_t series = 0; series < axes->series; series++) {
            print_series(file, &panel, series);
        }
        if (panel.first) {
            const double x = MARGIN - 4, y = panel.top + axes->height / 2;
            fprintf(file,
                    "<text class=\"quiet\" text-anchor=\"middle\" transform=\"translate(%.1f %.1f) "
                    "rotate(-90)\">right pictures, "
                    "%%</text>\n",
                    x, y);
        }
        place++;
    }
}

static void print_caption(FILE *file, const evaluation *e, double top) {
    const outcomes *o = &e->outcomes;
    fprintf(file,
            "<text class=\"quiet\" x=\"%d\" y=\"%.1f\">Bars are 95 %% confidence intervals of a share "
            "(Wilson%s). Lines are shifted a little sideways so that none hides another.</text>\n",
            MARGIN, top, o->seeds > 1 ? ", effective sample size" : "");
    fprintf(file, "<text class=\"quiet\" x=\"%d\" y=\"%.1f\">Model ", MARGIN, top + CAPTION_LINE);
    plot_print_escaped(file, e->model_name);
    fprintf(file, ", %zu prompts, %zu picture%s of each, with the same noise in every setting.</text>\n",
            o->prompts, o->seeds, o->seeds == 1 ? "" : "s");
}

static void print_plot(FILE *file, const evaluation *e, size_t grid) {
    plot_axes axes;
    char title[128];
    const double width = (PAGE - LEFT - MARGIN - (COLUMNS - 1) * GAP) / (double)COLUMNS;
    plot_axes_make(e, grid, width, PANEL_HEIGHT, &axes);
    const double legend = MARGIN + TITLE, panels = legend + print_legend(NULL, &axes, legend) + 6;
    const double row_height =
        PLOT_TITLE_HEIGHT + PANEL_HEIGHT + axes.names_height + PLOT_AXIS_TITLE + ROW_GAP;
    const size_t row_count = (count_panels(e) + COLUMNS - 1) / COLUMNS;
    const double caption = panels + (double)row_count * row_height + 8;
    sweep_row_title(axes.grid->axes[0].row, title, sizeof title);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" font-size=\"%d\" "
            "font-family=\"Inter, "
            "system-ui, 'Segoe UI', 'Noto Sans', 'Helvetica Neue', Arial, sans-serif\">\n",
            PAGE, caption + CAPTION_LINE + MARGIN - 8, PLOT_LETTER);
    print_style(file);
    fputs("<rect class=\"page\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n", file);
    fprintf(file,
            "<text x=\"%d\" y=\"%d\" font-size=\"16\" font-weight=\"600\">Pictures that show what the prompt "
            "asks for, by %s</text>\n",
            MARGIN, MARGIN + 10, title);
    print_legend(file, &axes, legend);
    print_panels(file, &axes, panels, row_height);
    print_caption(file, e, caption);
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
