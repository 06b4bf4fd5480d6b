/* SPDX-License-Identifier: Apache-2.0 */
#include "scoring/shapes.h"

#include <math.h>
#include <stdbool.h>

#include "core/memory.h"

#define PI 3.14159265358979323846

static const double reach = 2.0, rounding = 0.05;

enum { MAX_CORNERS = 96 };

typedef struct outline {
    struct {
        double x, y;
    } corners[MAX_CORNERS];
    int count;
} outline;

static void add(outline *line, double x, double y) {
    line->corners[line->count].x = x;
    line->corners[line->count].y = y;
    line->count++;
}

static void add_on_circle(outline *line, double radius, double angle, double down) {
    add(line, radius * cos(angle), radius * sin(angle) + down);
}

static void draw_disc(outline *line) {
    for (int i = 0; i < 96; i++) {
        add_on_circle(line, 0.97, -PI / 2 + 2 * PI * i / 96, 0);
    }
}

static void draw_square(outline *line) {
    add(line, -0.85, -0.85);
    add(line, 0.85, -0.85);
    add(line, 0.85, 0.85);
    add(line, -0.85, 0.85);
}

static void draw_triangle(outline *line) {
    add(line, 0, -0.98);
    add(line, 1.02, 0.84);
    add(line, -1.02, 0.84);
}

static void draw_star(outline *line) {
    for (int i = 0; i < 5; i++) {
        add_on_circle(line, 1.08, -PI / 2 + 2 * PI * i / 5, 0.06);
        add_on_circle(line, 0.46, -PI / 2 + PI / 5 + 2 * PI * i / 5, 0.06);
    }
}

static void draw_cross(outline *line) {
    static const double arms[12][2] = {{-1, -2}, {1, -2}, {1, -1}, {2, -1}, {2, 1},   {1, 1},
                                       {1, 2},   {-1, 2}, {-1, 1}, {-2, 1}, {-2, -1}, {-1, -1}};
    const double at[] = {-0.97, -0.31, 0, 0.31, 0.97};
    for (int i = 0; i < 12; i++) {
        add(line, at[(int)arms[i][0] + 2], at[(int)arms[i][1] + 2]);
    }
}

static void draw_heart(outline *line) {
    for (int i = 0; i < 80; i++) {
        const double t = 2 * PI * i / 80, s = sin(t);
        const double y = 13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t);
        add(line, 16 * s * s * s / 16.5, -(y + 2.5) / 15.5);
    }
}

static void (*const draw[PLD_SHAPE_COUNT])(outline *line) = {
    [PLD_SHAPE_CIRCLE] = draw_disc, [PLD_SHAPE_SQUARE] = draw_square, [PLD_SHAPE_TRIANGLE] = draw_triangle,
    [PLD_SHAPE_STAR] = draw_star,   [PLD_SHAPE_RING] = draw_disc,     [PLD_SHAPE_CROSS] = draw_cross,
    [PLD_SHAPE_HEART] = draw_heart,
};

/** Distance of (x, y) to the outline, negative inside, less the rounding. */
static double signed_distance(const outline *line, double x, double y) {
    double nearest = INFINITY;
    bool inside = false;
    for (int i = 0; i < line->count; i++) {
        const int next = i + 1 < line->count ? i + 1 : 0;
        const double ax = line->corners[i].x, ay = line->corners[i].y;
        const double bx = line->corners[next].x, by = line->corners[next].y;
        const double ex = bx - ax, ey = by - ay;
        double along = ((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey);
        along = along < 0 ? 0 : (along > 1 ? 1 : along);
        const double dx = x - ax - along * ex, dy = y - ay - along * ey;
        const double square = dx * dx + dy * dy;
        nearest = square < nearest ? square : nearest;
        if ((ay > y) != (by > y) && x < ex * (y - ay) / ey + ax) {
            inside = !inside;
        }
    }
    return (inside ? -sqrt(nearest) : sqrt(nearest)) - rounding;
}

static double coordinate(int index) {
    return -reach + 2 * reach * index / (PLD_SHAPE_GRID - 1);
}

static pld_status make_template(pld_shape kind, pld_shape_template *shape, pld_error *error) {
    outline line = {.count = 0};
    draw[kind](&line);
    shape->distance = pld_allocate((size_t)PLD_SHAPE_GRID * PLD_SHAPE_GRID, sizeof *shape->distance);
    if (!shape->distance) {
        return pld_fail_memory(error, (size_t)PLD_SHAPE_GRID * PLD_SHAPE_GRID * sizeof *shape->distance,
                               "shape template");
    }
    shape->left = shape->top = reach;
    shape->right = shape->bottom = -reach;
    for (int i = 0; i < PLD_SHAPE_GRID; i++) {
        for (int j = 0; j < PLD_SHAPE_GRID; j++) {
            const double x = coordinate(j), y = coordinate(i);
            double distance = signed_distance(&line, x, y);
            if (kind == PLD_SHAPE_RING) {
                distance = fmax(distance, 0.52 - hypot(x, y));
            }
            shape->distance[i * PLD_SHAPE_GRID + j] = (float)distance;
            if (distance < 0) {
                shape->left = fmin(shape->left, x);
                shape->right = fmax(shape->right, x);
                shape->top = fmin(shape->top, y);
                shape->bottom = fmax(shape->bottom, y);
            }
        }
    }
    return PLD_OK;
}

double pld_shape_distance(const pld_shape_template *shape, double u, double v) {
    const double step = 2 * reach / (PLD_SHAPE_GRID - 1), most = PLD_SHAPE_GRID - 1.001;
    double a = (u + reach) / step, b = (v + reach) / step;
    a = a < 0 ? 0 : (a > most ? most : a);
    b = b < 0 ? 0 : (b > most ? most : b);
    const int64_t i = (int64_t)b, j = (int64_t)a;
    const double fb = b - (double)i, fa = a - (double)j;
    const float *upper = shape->distance + i * PLD_SHAPE_GRID + j, *lower = upper + PLD_SHAPE_GRID;
    return ((double)upper[0] * (1 - fa) + (double)upper[1] * fa) * (1 - fb) +
           ((double)lower[0] * (1 - fa) + (double)lower[1] * fa) * fb;
}

pld_status pld_scorer_create(pld_scorer **scorer, pld_error *error) {
    *scorer = NULL;
    pld_scorer *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "scorer");
    }
    for (int i = 0; i < PLD_SHAPE_COUNT; i++) {
        pld_status status = make_template((pld_shape)i, &made->shapes[i], error);
        if (status != PLD_OK) {
            pld_scorer_destroy(&made);
            return status;
        }
    }
    *scorer = made;
    return PLD_OK;
}

void pld_scorer_destroy(pld_scorer **scorer) {
    if (!*scorer) {
        return;
    }
    for (int i = 0; i < PLD_SHAPE_COUNT; i++) {
        pld_free((*scorer)->shapes[i].distance);
    }
    pld_free(*scorer);
    *scorer = NULL;
}
