/* SPDX-License-Identifier: Apache-2.0 */
/** What a picture shows. The rule, in pixels of a 128x128 picture and units of 0 to 255:
 *   1. The sheet is the background colour nearest to the median of the picture's 4-pixel border.
 *   2. A pixel is foreground if it is further than 30 from the segment s * sheet, 0.72 <= s <= 1.04 (shade,
 * shadow).
 *   3. Things are the 4-connected components of at least 60 pixels, and of at least 12 % of the largest one.
 *   4. A thing's colour is the palette colour that is nearest to most of its pixels.
 *   5. Its shape is the template of highest intersection over union, fitted to the bounding box; below 0.75
 * none. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "scoring/components.h"
#include "scoring/shapes.h"

enum { BORDER = 4, FOREGROUND_DISTANCE = 30, LEAST_AREA = 60, LEAST_SIDE = 32, MOST_SIDE = 4096, MARGIN = 4 };

static const double least_overlap = 0.75, least_share = 0.12;
static const float darkest = 0.72F, lightest = 1.04F;

/** One picture while it is looked at. */
typedef struct view {
    const uint8_t *rgb; /* [height, width, 3] */
    int width, height;
    double unit; /* pixels for one of a 128x128 picture */
    pld_components components;
} view;

static float distance_between(const float *a, const float *b) {
    const float x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrtf(x * x + y * y + z * z);
}

static int nearest_colour(const float *colour, const float (*palette)[3], int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
        if (distance_between(colour, palette[i]) < distance_between(colour, palette[best])) {
            best = i;
        }
    }
    return best;
}

/** Median of a histogram: the mean of the two middle values where their number is even. */
static float median(const size_t *histogram, size_t count) {
    size_t below = 0;
    float sum = 0;
    const size_t middle[2] = {(count - 1) / 2, count / 2};
    int found = 0;
    for (int value = 0; value < 256 && found < 2; value++) {
        below += histogram[value];
        while (found < 2 && middle[found] < below) {
            sum += (float)value;
            found++;
        }
    }
    return sum / 2;
}

/** Step 1. Corners count twice: rows and columns of the border are taken whole. */
static int find_sheet(const view *v) {
    const int border = (int)lround(BORDER * v->unit);
    float colour[3];
    for (int channel = 0; channel < 3; channel++) {
        size_t histogram[256] = {0}, count = 0;
        for (int y = 0; y < v->height; y++) {
            for (int x = 0; x < v->width; x++) {
                const size_t times = (size_t)(y < border || y >= v->height - border) +
                                     (size_t)(x < border || x >= v->width - border);
                const size_t at = (size_t)y * (size_t)v->width + (size_t)x;
                histogram[v->rgb[3 * at + (size_t)channel]] += times;
                count += times;
            }
        }
        colour[channel] = median(histogram, count);
    }
    return nearest_colour(colour, pld_world_backgrounds, PLD_BACKGROUND_COUNT);
}

/** Step 2: mask [height, width]. */
static void find_foreground(const view *v, const float *sheet, uint8_t *mask) {
    const float norm = sheet[0] * sheet[0] + sheet[1] * sheet[1] + sheet[2] * sheet[2];
    const size_t pixels = (size_t)v->width * (size_t)v->height;
    for (size_t i = 0; i < pixels; i++) {
        const float colour[3] = {v->rgb[3 * i], v->rgb[3 * i + 1], v->rgb[3 * i + 2]};
        float s = (colour[0] * sheet[0] + colour[1] * sheet[1] + colour[2] * sheet[2]) / norm;
        s = s < darkest ? darkest : (s > lightest ? lightest : s);
        const float shaded[3] = {s * sheet[0], s * sheet[1], s * sheet[2]};
        mask[i] = distance_between(colour, shaded) > FOREGROUND_DISTANCE;
    }
}

/** Step 4. */
static int find_colour(const view *v, size_t index) {
    const pld_component *c = &v->components.items[index];
    size_t votes[PLD_COLOUR_COUNT] = {0};
    int best = 0;
    for (int y = c->top; y < c->bottom; y++) {
        for (int x = c->left; x < c->right; x++) {
            const size_t at = (size_t)y * (size_t)v->width + (size_t)x;
            if (v->components.labels[at] == (int32_t)index + 1) {
                const float colour[3] = {v->rgb[3 * at], v->rgb[3 * at + 1], v->rgb[3 * at + 2]};
                votes[nearest_colour(colour, pld_world_colours, PLD_COLOUR_COUNT)]++;
            }
        }
    }
    for (int i = 1; i < PLD_COLOUR_COUNT; i++) {
        best = votes[i] > votes[best] ? i : best;
    }
    return best;
}

/** Step 5 for one shape: intersection over union with the template, moved to the middle of the bounding box
 * and stretched to the mean of its sides. */
static double fit(const view *v, size_t index, const pld_shape_template *shape, double *radius) {
    const pld_component *c = &v->components.items[index];
    const double r = 0.5 * ((c->right - c->left) / (shape->right - shape->left) +
                            (c->bottom - c->top) / (shape->bottom - shape->top));
    const double x = 0.5 * (c->left + c->right) - r * (shape->left + shape->right) / 2;
    const double y = 0.5 * (c->top + c->bottom) - r * (shape->top + shape->bottom) / 2;
    const int margin = (int)lround(MARGIN * v->unit);
    const int left = c->left > margin ? c->left - margin : 0, top = c->top > margin ? c->top - margin : 0;
    const int right = c->right + margin < v->width ? c->right + margin : v->width;
    const int bottom = c->bottom + margin < v->height ? c->bottom + margin : v->height;
    size_t both = 0, either = 0;
    for (int row = top; row < bottom; row++) {
        for (int column = left; column < right; column++) {
            const bool wanted = pld_shape_distance(shape, (column + 0.5 - x) / r, (row + 0.5 - y) / r) < 0;
            const bool found =
                v->components.labels[(size_t)row * (size_t)v->width + (size_t)column] == (int32_t)index + 1;
            both += wanted && found;
            either += wanted || found;
        }
    }
    *radius = r;
    return either ? (double)both / (double)either : 0;
}

/** What is known of a thing. */
typedef struct seen {
    int shape, colour;
    double x, y, radius, overlap;
} seen;

static seen look_at_thing(const pld_scorer *scorer, const view *v, size_t index) {
    const pld_component *c = &v->components.items[index];
    seen thing = {.shape = PLD_ANY,
                  .colour = find_colour(v, index),
                  .x = (c->left + c->right) / 2.0,
                  .y = (c->top + c->bottom) / 2.0,
                  .overlap = -1};
    for (int i = 0; i < PLD_SHAPE_COUNT; i++) {
        double radius = 0;
        const double overlap = fit(v, index, &scorer->shapes[i], &radius);
        if (overlap > thing.overlap) {
            thing.overlap = overlap;
            thing.radius = radius / v->unit;
            thing.shape = overlap >= least_overlap ? i : PLD_ANY;
        }
    }
    return thing;
}

static void look_at_things(const pld_scorer *scorer, const view *v, pld_scene *scene) {
    const pld_components *all = &v->components;
    size_t largest = 0;
    for (size_t i = 0; i < all->count; i++) {
        largest = all->items[i].area > largest ? all->items[i].area : largest;
    }
    for (size_t i = 0; i < all->count; i++) {
        const double area = (double)all->items[i].area;
        if (area < LEAST_AREA * v->unit * v->unit || area < least_share * (double)largest) {
            continue;
        }
        if (scene->thing_count < PLD_MAX_THINGS_SEEN) {
            const seen thing = look_at_thing(scorer, v, i);
            scene->shapes[scene->thing_count] = thing.shape;
            scene->colours[scene->thing_count] = thing.colour;
            scene->x[scene->thing_count] = thing.x;
            scene->y[scene->thing_count] = thing.y;
            scene->radii[scene->thing_count] = thing.radius;
            scene->overlaps[scene->thing_count] = thing.overlap;
        }
        scene->thing_count++;
    }
}

pld_status pld_scorer_look(const pld_scorer *scorer, const uint8_t *rgb, int width, int height, pld_scene *to,
                           pld_error *error) {
    pld_scene scene = {.background = PLD_ANY};
    PLD_TRY(pld_sized_check("pld_scene", to, error));
    if (width < LEAST_SIDE || height < LEAST_SIDE || width > MOST_SIDE || height > MOST_SIDE) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "a picture of %d x %d: expected sides from %d to %d",
                        width, height, LEAST_SIDE, MOST_SIDE);
    }
    view v = {.rgb = rgb, .width = width, .height = height};
    v.unit = (double)(width < height ? width : height) / PLD_PICTURE_SIDE;
    uint8_t *mask = pld_allocate((size_t)width, (size_t)height);
    if (!mask) {
        return pld_fail_memory(error, (size_t)width * (size_t)height, "mask");
    }
    scene.background = find_sheet(&v);
    find_foreground(&v, pld_world_backgrounds[scene.background], mask);
    pld_status status = pld_components_find(mask, width, height, &v.components, error);
    if (status == PLD_OK) {
        look_at_things(scorer, &v, &scene);
        pld_sized_write(to, &scene, sizeof scene);
    }
    pld_components_free(&v.components);
    pld_free(mask);
    return status;
}
