/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>

#include "core/sized.h"
#include "scoring/world.h"

/** From this radius on a thing is large (world.py draws small ones of 12 to 14, large ones of 23 to 28). */
static const double least_large_radius = 18.5;

/** What an assignment of things must satisfy. */
typedef struct demand {
    bool shape, colour, size, relation;
} demand;

static const demand demands[PLD_ASPECT_COUNT] = {
    [PLD_ASPECT_SHAPE] = {.shape = true},
    [PLD_ASPECT_COLOUR] = {.colour = true},
    [PLD_ASPECT_BINDING] = {.shape = true, .colour = true},
    [PLD_ASPECT_SIZE] = {.shape = true, .colour = true, .size = true},
    [PLD_ASPECT_POSITION] = {.shape = true, .colour = true, .relation = true},
    [PLD_ASPECT_ALL] = {.shape = true, .colour = true, .size = true, .relation = true},
};

static bool is_or_any(int wanted, int found) {
    return wanted == PLD_ANY || wanted == found;
}

/** Thing number `seen` of the scene can be the one that is wanted as number `wanted`. */
static bool thing_fits(const pld_scene *scene, int seen, const pld_caption *caption, int wanted,
                       const demand *asked) {
    const int size = scene->radii[seen] >= least_large_radius ? PLD_SIZE_LARGE : PLD_SIZE_SMALL;
    return (!asked->shape || scene->shapes[seen] == caption->shapes[wanted]) &&
           (!asked->colour || is_or_any(caption->colours[wanted], scene->colours[seen])) &&
           (!asked->size || is_or_any(caption->sizes[wanted], size));
}

/** The larger of the two offsets between the centres decides. */
static bool relation_holds(int relation, const pld_scene *scene, int a, int b) {
    const double dx = scene->x[b] - scene->x[a], dy = scene->y[b] - scene->y[a];
    if (fabs(dx) > fabs(dy)) {
        return relation == (dx > 0 ? PLD_RELATION_LEFT_OF : PLD_RELATION_RIGHT_OF);
    }
    return relation == (dy > 0 ? PLD_RELATION_ABOVE : PLD_RELATION_BELOW);
}

/** Whether the things wanted from number `next` on can be given to things that are still free; `taken` [next]
 * are those given already. */
static bool can_assign(const pld_scene *scene, const pld_caption *caption, const demand *asked, int next,
                       int *taken) {
    if (next >= caption->thing_count || next >= PLD_MAX_THINGS_WANTED) {
        return !asked->relation || caption->relation == PLD_ANY ||
               relation_holds(caption->relation, scene, taken[0], taken[1]);
    }
    for (int i = 0; i < scene->thing_count; i++) {
        bool is_free = true;
        for (int j = 0; j < next; j++) {
            is_free = is_free && taken[j] != i;
        }
        if (is_free && thing_fits(scene, i, caption, next, asked)) {
            taken[next] = i;
            if (can_assign(scene, caption, asked, next + 1, taken)) {
                return true;
            }
        }
    }
    return false;
}

static bool is_asked(const pld_caption *caption, pld_aspect aspect) {
    bool colour = false, size = false;
    for (int i = 0; i < caption->thing_count; i++) {
        colour = colour || caption->colours[i] != PLD_ANY;
        size = size || caption->sizes[i] != PLD_ANY;
    }
    switch (aspect) {
    case PLD_ASPECT_BACKGROUND:
        return caption->background != PLD_ANY;
    case PLD_ASPECT_COLOUR:
    case PLD_ASPECT_BINDING:
        return colour;
    case PLD_ASPECT_SIZE:
        return size;
    case PLD_ASPECT_POSITION:
        return caption->relation != PLD_ANY;
    default:
        return true;
    }
}

static void judge(const pld_scene *scene, const pld_caption *caption, int verdict[PLD_ASPECT_COUNT]) {
    const bool count =
        scene->thing_count == caption->thing_count; /* so at most PLD_MAX_THINGS_WANTED are seen */
    const bool background = is_or_any(caption->background, scene->background);
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        int taken[PLD_MAX_THINGS_WANTED] = {0};
        bool holds = count && can_assign(scene, caption, &demands[i], 0, taken);
        holds = i == PLD_ASPECT_BACKGROUND ? background : holds && (i != PLD_ASPECT_ALL || background);
        verdict[i] = is_asked(caption, (pld_aspect)i) ? holds : PLD_ANY;
    }
}

pld_status pld_scene_judge(const pld_scene *scene, const pld_caption *caption, int *verdict, size_t count,
                           pld_error *error) {
    static const pld_scene no_scene = {.background = PLD_ANY};
    static const pld_caption no_caption = {.relation = PLD_ANY, .background = PLD_ANY};
    int full[PLD_ASPECT_COUNT];
    pld_scene seen;
    pld_caption wanted;
    PLD_TRY(PLD_SIZED_READ(pld_scene, scene, &no_scene, &seen, error));
    PLD_TRY(PLD_SIZED_READ(pld_caption, caption, &no_caption, &wanted, error));
    if (wanted.thing_count < 0 || wanted.thing_count > PLD_MAX_THINGS_WANTED || seen.thing_count < 0) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "pld_caption: expected 0 to %d things, found %d",
                        PLD_MAX_THINGS_WANTED, wanted.thing_count);
    }
    judge(&seen, &wanted, full);
    for (size_t i = 0; i < count; i++) {
        verdict[i] = i < PLD_ASPECT_COUNT ? full[i] : PLD_ANY;
    }
    return PLD_OK;
}
