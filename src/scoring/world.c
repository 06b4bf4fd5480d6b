/* SPDX-License-Identifier: Apache-2.0 */
#include "scoring/world.h"

#include <stddef.h>

const float pld_world_colours[PLD_COLOUR_COUNT][3] = {
    {208, 56, 58},  {240, 138, 48}, {246, 208, 72},  {78, 160, 88},
    {58, 108, 196}, {128, 74, 164}, {242, 150, 186}, {126, 84, 56},
};

const float pld_world_backgrounds[PLD_BACKGROUND_COUNT][3] = {
    {248, 242, 228}, {196, 199, 204}, {198, 224, 242}, {46, 48, 62}};

static const char *const shapes[] = {"circle", "square", "triangle", "star", "ring", "cross", "heart", NULL};
static const char *const colours[] = {"red",    "orange", "yellow", "green", "blue",
                                      "purple", "pink",   "brown",  NULL};
static const char *const backgrounds[] = {"cream", "grey", "light blue", "dark", NULL};
static const char *const sizes[] = {"small", "large", NULL};
static const char *const relations[] = {"left of", "right of", "above", "below", NULL};
static const char *const categories[] = {"single_object", "two_objects", "counting", "colors",
                                         "position",      "color_attr",  NULL};
static const char *const aspects[] = {"count", "background", "shape", "colour", "binding",
                                      "size",  "position",   "all",   NULL};

const char *pld_world_word(pld_world_list list, int index) {
    static const char *const *const lists[] = {
        [PLD_WORLD_SHAPES] = shapes,           [PLD_WORLD_COLOURS] = colours,
        [PLD_WORLD_BACKGROUNDS] = backgrounds, [PLD_WORLD_SIZES] = sizes,
        [PLD_WORLD_RELATIONS] = relations,     [PLD_WORLD_CATEGORIES] = categories,
        [PLD_WORLD_ASPECTS] = aspects};
    if ((size_t)list >= sizeof lists / sizeof *lists || index < 0) {
        return NULL;
    }
    for (int i = 0; lists[list][i]; i++) {
        if (i == index) {
            return lists[list][i];
        }
    }
    return NULL;
}
