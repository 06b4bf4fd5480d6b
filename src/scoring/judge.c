/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>

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

static bool thing_fits(const pld_thing_seen *seen, const pld_thing_wanted *wanted, const demand *asked) {
    const int size = seen->radius >= least_large_radius ? PLD_SIZE_LARGE : PLD_SIZE_SMALL;
    return (!asked->shape || seen->shape == wanted->shape) &&
           (!asked->colour || is_or_any(wanted->colour, seen->colour)) &&
           (!asked->size || is_or_any(wanted->size, size));
}

/** The larger of the two offsets between the centres decides. */
static bool relation_holds(int relation, const pld_thing_seen *a, const pld_thing_seen *b) {
    const double dx = b->x - a->x, dy = b->y - a->y;
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
               relation_holds(caption->relation, &scene->things[taken[0]], &scene->things[taken[1]]);
    }
    for (int i = 0; i < scene->thing_count; i++) {
        bool is_free = true;
        for (int j = 0; j < next; j++) {
            is_free = is_free && taken[j] != i;
        }
        if (is_free && thing_fits(&scene->things[i], &caption->things[next], asked)) {
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
        colour = colour || caption->things[i].colour != PLD_ANY;
        size = size || caption->things[i].size != PLD_ANY;
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

void pld_scene_judge(const pld_scene *scene, const pld_caption *caption, int verdict[PLD_ASPECT_COUNT]) {
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
