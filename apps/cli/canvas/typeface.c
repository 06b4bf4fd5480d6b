/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas/typeface.h"

#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_MODULE_H
#include FT_OUTLINE_H

#include "canvas/typeface_data.h"
#include "canvas/typeface_memory.h"
#include "terminal/message.h"

enum { FIRST_ROOM = 256, UNITS = 64 /* FreeType's of a pixel */ };

/** A drawn letter and what was asked for. */
typedef struct drawn_letter {
    typeface_weight weight;
    int size, phase;
    uint32_t letter;
    typeface_glyph *glyph; /* NULL: the place is free */
} drawn_letter;

struct typeface {
    typeface_memory *memory;
    FT_Library library;
    FT_Face weights[TYPEFACE_WEIGHTS];
    drawn_letter *drawn; /* [room], a hash table without deletions */
    size_t count, room;  /* `room` is a power of two */
    bool failed;
};

static bool open_weights(typeface *face) {
    const struct {
        const unsigned char *bytes;
        size_t size;
    } files[TYPEFACE_WEIGHTS] = {{typeface_regular, typeface_regular_size},
                                 {typeface_strong, typeface_strong_size}};
    for (int i = 0; i < TYPEFACE_WEIGHTS; i++) {
        FT_Error error =
            FT_New_Memory_Face(face->library, files[i].bytes, (FT_Long)files[i].size, 0, &face->weights[i]);
        if (error == 0) {
            error = FT_Select_Charmap(face->weights[i], FT_ENCODING_UNICODE);
        }
        if (error != 0 || typeface_memory_was_out(face->memory)) {
            message_failure("the typeface for labels cannot be opened: %s",
                            error == FT_Err_Out_Of_Memory || typeface_memory_was_out(face->memory)
                                ? "out of memory"
                                : "memory is short, or the program file is damaged");
            return false;
        }
    }
    return true;
}

static bool open_library(typeface *face) {
    face->memory = typeface_memory_make();
    if (face->memory == NULL || FT_New_Library(typeface_memory_door(face->memory), &face->library) != 0) {
        return false;
    }
    FT_Add_Default_Modules(face->library);
    return !typeface_memory_was_out(face->memory);
}

typeface *typeface_open(void) {
    typeface *face = calloc(1, sizeof *face);
    if (face != NULL) {
        face->room = FIRST_ROOM;
        face->drawn = calloc(face->room, sizeof *face->drawn);
    }
    if (face == NULL || face->drawn == NULL || !open_library(face)) {
        message_failure("out of memory for the typeface for labels");
        typeface_close(&face);
    } else if (!open_weights(face)) {
        typeface_close(&face);
    }
    return face;
}

static void free_glyph(typeface_glyph *glyph) {
    if (glyph != NULL) {
        free(glyph->coverage);
        free(glyph);
    }
}

void typeface_close(typeface **face) {
    typeface *closed = *face;
    *face = NULL;
    if (closed == NULL) {
        return;
    }
    for (size_t i = 0; closed->drawn != NULL && i < closed->room; i++) {
        free_glyph(closed->drawn[i].glyph);
    }
    free(closed->drawn);
    for (int i = 0; i < TYPEFACE_WEIGHTS; i++) {
        FT_Done_Face(closed->weights[i]); /* refuses NULL, which is what a failure leaves */
    }
    if (closed->library != NULL) {
        FT_Done_Library(closed->library);
    }
    typeface_memory_free(closed->memory);
    free(closed);
}

bool typeface_failed(const typeface *face, const char *what) {
    if (face->failed) {
        message_failure("out of memory for the labels of %s", what);
    }
    return face->failed;
}

/** The face that has the letter, at its size; NULL when none does. */
static FT_Face find_face(const typeface *face, typeface_weight weight, uint32_t letter) {
    if (FT_Get_Char_Index(face->weights[weight], letter) != 0) {
        return face->weights[weight];
    }
    return FT_Get_Char_Index(face->weights[TYPEFACE_REGULAR], letter) != 0 ? face->weights[TYPEFACE_REGULAR]
                                                                           : NULL;
}

bool typeface_has(const typeface *face, uint32_t letter) {
    return find_face(face, TYPEFACE_REGULAR, letter) != NULL;
}

/** Copy what FreeType drew. */
static bool copy_coverage(const FT_GlyphSlot slot, typeface_glyph *glyph) {
    const FT_Bitmap *bitmap = &slot->bitmap;
    glyph->width = (int)bitmap->width;
    glyph->height = (int)bitmap->rows;
    glyph->left = slot->bitmap_left;
    glyph->top = slot->bitmap_top;
    if (bitmap->width == 0 || bitmap->rows == 0) {
        return true;
    }
    glyph->coverage = malloc((size_t)bitmap->width * bitmap->rows);
    for (unsigned y = 0; glyph->coverage != NULL && y < bitmap->rows; y++) {
        memcpy(glyph->coverage + (size_t)y * bitmap->width, bitmap->buffer + (ptrdiff_t)y * bitmap->pitch,
               bitmap->width);
    }
    return glyph->coverage != NULL;
}

/** Draw a letter anew. Unhinted, so that letters keep their shapes and distances at every size. */
static typeface_glyph *draw(FT_Face face, const drawn_letter *wanted) {
    typeface_glyph *glyph = calloc(1, sizeof *glyph);
    FT_BBox box;
    if (glyph == NULL || FT_Set_Pixel_Sizes(face, 0, (FT_UInt)wanted->size) != 0 ||
        FT_Load_Char(face, wanted->letter, FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) != 0) {
        free_glyph(glyph);
        return NULL;
    }
    FT_Outline_Get_CBox(&face->glyph->outline, &box);
    glyph->x_least = (double)box.xMin / UNITS;
    glyph->x_most = (double)box.xMax / UNITS;
    glyph->y_least = (double)box.yMin / UNITS;
    glyph->y_most = (double)box.yMax / UNITS;
    glyph->advance = (double)face->glyph->linearHoriAdvance / 65536;
    FT_Outline_Translate(&face->glyph->outline, (FT_Pos)wanted->phase * (UNITS / TYPEFACE_PHASES), 0);
    if (FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL) != 0 || !copy_coverage(face->glyph, glyph)) {
        free_glyph(glyph);
        return NULL;
    }
    return glyph;
}

static size_t place_of(const drawn_letter *table, size_t room, const drawn_letter *wanted) {
    const uint64_t key =
        ((uint64_t)wanted->letter * TYPEFACE_PHASES + (uint64_t)wanted->phase) * TYPEFACE_WEIGHTS +
        (uint64_t)wanted->weight + ((uint64_t)wanted->size << 40);
    size_t place = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (room - 1);
    while (table[place].glyph != NULL &&
           (table[place].letter != wanted->letter || table[place].size != wanted->size ||
            table[place].weight != wanted->weight || table[place].phase != wanted->phase)) {
        place = (place + 1) & (room - 1);
    }
    return place;
}

static bool make_room(typeface *face) {
    if (2 * (face->count + 1) <= face->room) {
        return true;
    }
    drawn_letter *larger = calloc(2 * face->room, sizeof *larger);
    for (size_t i = 0; larger != NULL && i < face->room; i++) {
        if (face->drawn[i].glyph != NULL) {
            larger[place_of(larger, 2 * face->room, &face->drawn[i])] = face->drawn[i];
        }
    }
    if (larger != NULL) {
        free(face->drawn);
        face->drawn = larger;
        face->room *= 2;
    }
    return larger != NULL;
}

const typeface_glyph *typeface_draw(typeface *face, typeface_weight weight, int size, uint32_t letter,
                                    int phase) {
    drawn_letter wanted = {.weight = weight, .size = size, .phase = phase, .letter = letter};
    const typeface_glyph *known = face->drawn[place_of(face->drawn, face->room, &wanted)].glyph;
    /* FreeType is not asked again after a failure, which leaves faces in states that it does not expect. */
    FT_Face from = known == NULL && !face->failed ? find_face(face, weight, letter) : NULL;
    if (known != NULL || from == NULL) {
        return known;
    }
    wanted.glyph = make_room(face) ? draw(from, &wanted) : NULL;
    if (wanted.glyph == NULL || typeface_memory_was_out(face->memory)) {
        free_glyph(wanted.glyph);
        face->failed = true;
        return NULL;
    }
    face->drawn[place_of(face->drawn, face->room, &wanted)] = wanted;
    face->count++;
    return wanted.glyph;
}

double typeface_kerning(typeface *face, typeface_weight weight, int size, uint32_t left, uint32_t right) {
    FT_Face from = find_face(face, weight, left);
    FT_Vector by = {0, 0};
    if (from == NULL || from != find_face(face, weight, right)) {
        return 0;
    }
    if (FT_Get_Kerning(from, FT_Get_Char_Index(from, left), FT_Get_Char_Index(from, right),
                       FT_KERNING_UNSCALED, &by) != 0) {
        return 0;
    }
    return (double)by.x * size / from->units_per_EM;
}

/** Height of a letter's outline. */
static double letter_height(typeface *face, typeface_weight weight, int size, uint32_t letter) {
    const typeface_glyph *glyph = typeface_draw(face, weight, size, letter, 0);
    return glyph != NULL ? glyph->y_most : 0;
}

typeface_metrics typeface_measure(typeface *face, typeface_weight weight, int size) {
    const FT_Face from = face->weights[weight];
    const double unit = (double)size / from->units_per_EM;
    return (typeface_metrics){.ascent = from->ascender * unit,
                              .descent = -from->descender * unit,
                              .line = from->height * unit,
                              .x_height = letter_height(face, weight, size, 'x'),
                              .cap_height = letter_height(face, weight, size, 'H')};
}
