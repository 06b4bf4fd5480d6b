/* SPDX-License-Identifier: Apache-2.0 */
/** @file scoring.h
 *  Does a picture show what its caption says? Exactly answered, for the world of the demo model: coloured
 * shapes on a plain sheet (tools/demo_model/world.py draws it, tools/demo_model/captions.py words it).
 *
 *      pld_caption_parse    caption            -> what it asks for
 *      pld_scorer_look      picture            -> what is there
 *      pld_scene_judge      both               -> which aspects hold
 */
#ifndef PLADIS_SCORING_H
#define PLADIS_SCORING_H

#include <stddef.h>
#include <stdint.h>

#include "pladis/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PLD_ANY = -1, /**< not named by the caption; nothing found in the picture; aspect not asked for */
    PLD_MAX_THINGS_WANTED = 4,
    PLD_MAX_THINGS_SEEN = 16
};

/** The word lists of the world; a value of a list is its index. */
typedef enum pld_world_list {
    PLD_WORLD_SHAPES,      /**< circle, square, triangle, star, ring, cross, heart */
    PLD_WORLD_COLOURS,     /**< red, orange, yellow, green, blue, purple, pink, brown */
    PLD_WORLD_BACKGROUNDS, /**< cream, grey, light blue, dark */
    PLD_WORLD_SIZES,       /**< small, large */
    PLD_WORLD_RELATIONS,   /**< left of, right of, above, below */
    PLD_WORLD_CATEGORIES,  /**< single_object, two_objects, counting, colors, position, color_attr */
    PLD_WORLD_ASPECTS      /**< the names of pld_aspect */
} pld_world_list;

/** Word `index` of a list, NULL past its end. */
PLD_API const char *pld_world_word(pld_world_list list, int index);

/** GenEval's categories of captions (Ghosh et al., NeurIPS 2023). */
typedef enum pld_category {
    PLD_CATEGORY_SINGLE_OBJECT, /**< one thing, no colour named */
    PLD_CATEGORY_TWO_OBJECTS,   /**< two things, no colour named */
    PLD_CATEGORY_COUNTING,      /**< two to four things of one kind */
    PLD_CATEGORY_COLORS,        /**< one thing with its colour */
    PLD_CATEGORY_POSITION,      /**< two things and a relation */
    PLD_CATEGORY_COLOR_ATTR,    /**< two or three things, each with its colour */
    PLD_CATEGORY_COUNT
} pld_category;

/** What a caption asks for. */
typedef struct pld_caption {
    size_t struct_size; /**< set by the caller to sizeof(pld_caption) */
    pld_category category;
    int thing_count;
    int relation;   /**< of the first thing to the second, or PLD_ANY */
    int background; /**< or PLD_ANY */
    /* of the things [thing_count], in the caption's order */
    int shapes[PLD_MAX_THINGS_WANTED];  /**< PLD_WORLD_SHAPES */
    int colours[PLD_MAX_THINGS_WANTED]; /**< PLD_WORLD_COLOURS or PLD_ANY */
    int sizes[PLD_MAX_THINGS_WANTED];   /**< PLD_WORLD_SIZES or PLD_ANY */
} pld_caption;

/** Understand a caption. One outside the grammar is refused (PLD_ERROR_ARGUMENT) with the word and its place.
 */
PLD_API pld_status pld_caption_parse(const char *text, pld_caption *caption, pld_error *error);

/** What a picture shows. */
typedef struct pld_scene {
    size_t struct_size; /**< set by the caller to sizeof(pld_scene) */
    int background;
    int thing_count; /**< all of them, also those not listed below */
    /* of the first things, from the top */
    int shapes[PLD_MAX_THINGS_SEEN]; /**< the best one, or PLD_ANY where none fits */
    int colours[PLD_MAX_THINGS_SEEN];
    /** Centre of the bounding box, pixels from the top left corner. */
    double x[PLD_MAX_THINGS_SEEN], y[PLD_MAX_THINGS_SEEN];
    /** Of the fitted shape, in units of 1/128 of the picture's shorter side. */
    double radii[PLD_MAX_THINGS_SEEN];
    double overlaps[PLD_MAX_THINGS_SEEN]; /**< intersection over union with that shape */
} pld_scene;

/** The templates of the shapes: immutable, may be shared between threads. */
typedef struct pld_scorer pld_scorer;

PLD_API pld_status pld_scorer_create(pld_scorer **scorer, pld_error *error);
PLD_API void pld_scorer_destroy(pld_scorer **scorer);

/** Look at `rgb` [height, width, 3], sides from 32 to 4096. The thresholds were made for 128x128 and grow
 * with the shorter side. */
PLD_API pld_status pld_scorer_look(const pld_scorer *scorer, const uint8_t *rgb, int width, int height,
                                   pld_scene *scene, pld_error *error);

typedef enum pld_aspect {
    PLD_ASPECT_COUNT_OF_THINGS, /**< "count": as many things as asked for */
    PLD_ASPECT_BACKGROUND,      /**< "background" */
    PLD_ASPECT_SHAPE,           /**< "shape": count, and every shape is there */
    PLD_ASPECT_COLOUR,          /**< "colour": count, and every named colour is there */
    PLD_ASPECT_BINDING,         /**< "binding": count, and every colour is on its shape */
    PLD_ASPECT_SIZE,            /**< "size": binding, and the named sizes hold too */
    PLD_ASPECT_POSITION,        /**< "position": binding, and the relation holds too */
    PLD_ASPECT_ALL,             /**< "all": one assignment of things satisfies the whole caption */
    PLD_ASPECT_COUNT
} pld_aspect;

/** verdict[aspect] becomes 1 (holds), 0, or PLD_ANY where the caption does not ask. `count`: the room in
 *  `verdict`, PLD_ASPECT_COUNT of the caller's header; what is beyond the library's aspects becomes PLD_ANY. */
PLD_API pld_status pld_scene_judge(const pld_scene *scene, const pld_caption *caption, int *verdict,
                                   size_t count, pld_error *error);

#ifdef __cplusplus
}
#endif
#endif
