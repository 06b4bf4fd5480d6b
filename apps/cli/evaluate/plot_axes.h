/* SPDX-License-Identifier: Apache-2.0 */
/** The panels of a plot: where values lie on them, and what stands around them. One pixel of the SVG is the
 * unit. */
#ifndef PLADIS_CLI_EVALUATE_PLOT_AXES_H
#define PLADIS_CLI_EVALUATE_PLOT_AXES_H

#include "evaluate/evaluation.h"

/** What all panels of a plot have in common. */
typedef struct plot_axes {
    const evaluation *e;
    const evaluate_grid *grid;
    size_t index;           /**< of the grid */
    size_t series;          /**< lines of a panel */
    double width, height;   /**< of a panel's drawing area */
    double x_least, x_most; /**< values of the option */
    double y_least, y_most; /**< shares: one range, so that panels can be compared by eye */
    double inset;           /**< from the edge of the drawing area to the middle of the first point */
    double dodge;           /**< from one line to the next, so that none hides another */
    bool slanted;           /**< names of the values are too long to stand beside each other */
    double names_height;    /**< of the names of the values */
} plot_axes;

/** A panel: a group of prompts. */
typedef struct plot_panel {
    const plot_axes *axes;
    int group;
    double left, top;
    bool first; /**< of its row: the numbers of shares stand at it */
} plot_panel;

enum {
    PLOT_LETTER = 11 /* size of letters */,
    PLOT_TITLE_HEIGHT = 24,
    PLOT_NAMES_GAP = 16,
    PLOT_AXIS_TITLE = 16
};

void plot_axes_make(const evaluation *e, size_t grid, double width, double height, plot_axes *axes);

/** Setting of point `point` of a line, and what came of it in a panel. */
size_t plot_setting(const plot_axes *axes, size_t series, size_t point);
const interval *plot_value(const plot_panel *panel, size_t series, size_t point);

/** Where a point lies on the page. */
double plot_x(const plot_panel *panel, size_t series, size_t point);
double plot_y(const plot_panel *panel, double share);

/** Title, lines of shares, values of the option. */
void plot_print_frame(FILE *file, const plot_panel *panel);

/** Text with XML's own characters written out. */
void plot_print_escaped(FILE *file, const char *text);

/** About how wide it is in the reader's sans-serif, in pixels, at PLOT_LETTER. */
double plot_text_width(const char *text);

#endif
