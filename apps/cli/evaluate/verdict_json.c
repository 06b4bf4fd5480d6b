/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/verdict_json.h"

json_t *scene_json(const pld_scene *scene) {
    json_t *things = json_array();
    for (int i = 0; i < scene->thing_count && i < PLD_MAX_THINGS_SEEN; i++) {
        json_array_append_new(things, json_pack("{s:s?, s:s, s:f, s:f, s:f, s:f}", "shape",
                                                pld_world_word(PLD_WORLD_SHAPES, scene->shapes[i]), "colour",
                                                pld_world_word(PLD_WORLD_COLOURS, scene->colours[i]), "x",
                                                scene->x[i], "y", scene->y[i], "radius", scene->radii[i],
                                                "overlap", scene->overlaps[i]));
    }
    return json_pack("{s:s, s:i, s:o}", "background",
                     pld_world_word(PLD_WORLD_BACKGROUNDS, scene->background), "count", scene->thing_count,
                     "things", things);
}

json_t *verdict_json(const int verdict[PLD_ASPECT_COUNT]) {
    json_t *object = json_object();
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        json_object_set_new(object, pld_world_word(PLD_WORLD_ASPECTS, i),
                            verdict[i] == PLD_ANY ? json_null() : json_boolean(verdict[i]));
    }
    return object;
}
