/* SPDX-License-Identifier: Apache-2.0 */
/** The caption grammar of the demo model, as tools/demo_model/captions.py writes it:
 *
 *     caption    := [opening] body [("on a " | "against a ") sheet " background"]
 *     opening    := "a picture of" | "an image of" | "a drawing of"
 *     body       := thing                                     single_object, colors
 *                 | number [colour] shapes                    counting
 *                 | thing "and" thing                         two_objects, color_attr
 *                 | thing "," thing "and" thing               color_attr
 *                 | thing relation thing                      position
 *     thing      := ("a" | "an" | "one" | "the") [size] [colour] shape
 *     number     := "two" | "a pair of" | "three" | "four" | "2" | "3" | "4"
 *     relation   := ["to the" | "on the"] ("left of" | "right of") | "above" | "over" | "below" | "under"
 *     size       := "small" | "little" | "large" | "big"
 *     sheet      := "cream" | "grey" | "gray" | "light blue" | "dark"
 *
 * Upper and lower case are the same; any blanks may stand between words. */
#include <stdbool.h>
#include <string.h>

#include "core/sized.h"
#include "core/status.h"
#include "scoring/world.h"

enum { MAX_WORDS = 64, MAX_QUOTED = 40, NOT_THERE = -2 };

typedef struct words {
    const char *text;
    struct {
        size_t begin, length;
    } items[MAX_WORDS];
    int count, at;
    pld_error *error;
} words;

/** A phrase (words, one blank between) and what it means. */
typedef struct phrase {
    const char *text;
    int value;
} phrase;

#define PHRASES_END                                                                                          \
    { NULL, 0 }

static const phrase openings[] = {{"a picture of", 0}, {"an image of", 0}, {"a drawing of", 0}, PHRASES_END};
static const phrase articles[] = {{"a", 0}, {"an", 0}, {"one", 0}, {"the", 0}, PHRASES_END};
static const phrase numbers[] = {{"two", 2}, {"a pair of", 2}, {"2", 2}, {"three", 3},
                                 {"3", 3},   {"four", 4},      {"4", 4}, PHRASES_END};
static const phrase sizes[] = {{"small", PLD_SIZE_SMALL},
                               {"little", PLD_SIZE_SMALL},
                               {"large", PLD_SIZE_LARGE},
                               {"big", PLD_SIZE_LARGE},
                               PHRASES_END};
static const phrase relations[] = {{"left of", PLD_RELATION_LEFT_OF},
                                   {"to the left of", PLD_RELATION_LEFT_OF},
                                   {"on the left of", PLD_RELATION_LEFT_OF},
                                   {"right of", PLD_RELATION_RIGHT_OF},
                                   {"to the right of", PLD_RELATION_RIGHT_OF},
                                   {"on the right of", PLD_RELATION_RIGHT_OF},
                                   {"above", PLD_RELATION_ABOVE},
                                   {"over", PLD_RELATION_ABOVE},
                                   {"below", PLD_RELATION_BELOW},
                                   {"under", PLD_RELATION_BELOW},
                                   PHRASES_END};
static const phrase plurals[] = {{"circles", PLD_SHAPE_CIRCLE},     {"squares", PLD_SHAPE_SQUARE},
                                 {"triangles", PLD_SHAPE_TRIANGLE}, {"stars", PLD_SHAPE_STAR},
                                 {"rings", PLD_SHAPE_RING},         {"crosses", PLD_SHAPE_CROSS},
                                 {"hearts", PLD_SHAPE_HEART},       PHRASES_END};
static const phrase sheet_openings[] = {{"on a", 0}, {"against a", 0}, PHRASES_END};
static const phrase sheets[] = {{"cream", 0},      {"grey", 1}, {"gray", 1},
                                {"light blue", 2}, {"dark", 3}, PHRASES_END};

/** Words are what stands between blanks; a comma is a word. */
static pld_status split(const char *text, words *w) {
    *w = (words){.text = text, .error = w->error};
    for (size_t at = strspn(text, " \t"); text[at] != '\0'; at += strspn(text + at, " \t")) {
        if (w->count == MAX_WORDS) {
            return pld_fail(w->error, PLD_ERROR_ARGUMENT, "caption: expected at most %d words", MAX_WORDS);
        }
        const size_t length = text[at] == ',' ? 1 : strcspn(text + at, " \t,");
        w->items[w->count].begin = at;
        w->items[w->count++].length = length;
        at += length;
    }
    return PLD_OK;
}

/** Refuse the word at the cursor. */
static pld_status refuse(const words *w, const char *expected) {
    if (w->at == w->count) {
        return pld_fail(w->error, PLD_ERROR_ARGUMENT,
                        "caption \"%.200s\": expected %s at its end, found nothing", w->text, expected);
    }
    const char *word = w->text + w->items[w->at].begin;
    size_t length = w->items[w->at].length;
    if (length > MAX_QUOTED) {
        length = MAX_QUOTED;
        while (length > 0 && ((unsigned char)word[length] & 0xC0) == 0x80) {
            length--; /* not inside a UTF-8 sequence */
        }
    }
    return pld_fail(w->error, PLD_ERROR_ARGUMENT,
                    "caption: word %d (column %zu): expected %s, found \"%.*s\"", w->at + 1,
                    w->items[w->at].begin + 1, expected, (int)length, word);
}

static bool same_letters(const char *a, const char *b, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const int lower = a[i] >= 'A' && a[i] <= 'Z' ? a[i] - 'A' + 'a' : a[i];
        if (lower != b[i]) {
            return false;
        }
    }
    return true;
}

/** Take `text`, words with one blank between, if it stands at the cursor. */
static bool take(words *w, const char *text) {
    int at = w->at;
    while (*text != '\0') {
        const size_t length = strcspn(text, " ");
        if (at == w->count || w->items[at].length != length ||
            !same_letters(w->text + w->items[at].begin, text, length)) {
            return false;
        }
        at++;
        text += length + (text[length] == ' ');
    }
    w->at = at;
    return true;
}

/** Take one of the phrases; its value, or NOT_THERE. */
static int take_phrase(words *w, const phrase *phrases) {
    for (; phrases->text; phrases++) {
        if (take(w, phrases->text)) {
            return phrases->value;
        }
    }
    return NOT_THERE;
}

/** Take a word of the world; its index, or NOT_THERE. */
static int take_word(words *w, pld_world_list list) {
    const char *word;
    for (int i = 0; (word = pld_world_word(list, i)) != NULL; i++) {
        if (take(w, word)) {
            return i;
        }
    }
    return NOT_THERE;
}

static int or_any(int value) {
    return value == NOT_THERE ? PLD_ANY : value;
}

static pld_status parse_thing(words *w, pld_caption *caption, const char *expected) {
    const int thing = caption->thing_count;
    if (take_phrase(w, articles) == NOT_THERE) {
        return refuse(w, expected);
    }
    caption->sizes[thing] = or_any(take_phrase(w, sizes));
    caption->colours[thing] = or_any(take_word(w, PLD_WORLD_COLOURS));
    caption->shapes[thing] = take_word(w, PLD_WORLD_SHAPES);
    if (caption->shapes[thing] == NOT_THERE) {
        return refuse(w, caption->colours[thing] != PLD_ANY
                             ? "a shape (circle, square, triangle, star, ring, cross, heart)"
                         : caption->sizes[thing] != PLD_ANY
                             ? "a colour or a shape of the demo world"
                             : "a size, a colour or a shape of the demo world");
    }
    caption->thing_count++;
    return PLD_OK;
}

static pld_status parse_counted(words *w, int number, pld_caption *caption) {
    const int colour = or_any(take_word(w, PLD_WORLD_COLOURS));
    const int shape = take_phrase(w, plurals);
    if (shape == NOT_THERE) {
        return refuse(w, "circles, squares, triangles, stars, rings, crosses or hearts");
    }
    caption->category = PLD_CATEGORY_COUNTING;
    for (int thing = 0; thing < number; thing++) {
        caption->shapes[thing] = shape;
        caption->colours[thing] = colour;
        caption->sizes[thing] = PLD_ANY;
    }
    caption->thing_count = number;
    return PLD_OK;
}

/** Behind the comma of "a red ring, a blue star and a green heart". */
static pld_status parse_second_of_three(words *w, pld_caption *caption) {
    PLD_TRY(parse_thing(w, caption, "a, an, one or the"));
    return take(w, "and") ? PLD_OK : refuse(w, "and");
}

static pld_status parse_things(words *w, pld_caption *caption) {
    PLD_TRY(parse_thing(w, caption, "a picture of, a number, a, an, one or the"));
    const bool three = take(w, ",");
    if (three) {
        PLD_TRY(parse_second_of_three(w, caption));
    }
    const bool joined = three || take(w, "and");
    caption->relation = joined ? PLD_ANY : or_any(take_phrase(w, relations));
    if (joined || caption->relation != PLD_ANY) {
        PLD_TRY(parse_thing(w, caption, "a, an, one or the"));
    }
    bool colour = false, all_coloured = true;
    for (int i = 0; i < caption->thing_count; i++) {
        colour = colour || caption->colours[i] != PLD_ANY;
        all_coloured = all_coloured && caption->colours[i] != PLD_ANY;
    }
    if (three && !all_coloured) {
        return pld_fail(w->error, PLD_ERROR_ARGUMENT,
                        "caption \"%.200s\": each of three things needs a colour", w->text);
    }
    caption->category = caption->relation != PLD_ANY ? PLD_CATEGORY_POSITION
                        : joined ? (colour ? PLD_CATEGORY_COLOR_ATTR : PLD_CATEGORY_TWO_OBJECTS)
                        : colour ? PLD_CATEGORY_COLORS
                                 : PLD_CATEGORY_SINGLE_OBJECT;
    return PLD_OK;
}

static pld_status parse_sheet(words *w, pld_caption *caption) {
    if (take_phrase(w, sheet_openings) == NOT_THERE) {
        return PLD_OK;
    }
    caption->background = take_phrase(w, sheets);
    if (caption->background == NOT_THERE) {
        return refuse(w, "cream, grey, light blue or dark");
    }
    return take(w, "background") ? PLD_OK : refuse(w, "background");
}

static pld_status parse_all(words *w, pld_caption *caption) {
    if (w->count == 0) {
        return pld_fail(w->error, PLD_ERROR_ARGUMENT, "caption: expected words, found none");
    }
    take_phrase(w, openings);
    const int number = take_phrase(w, numbers);
    PLD_TRY(number == NOT_THERE ? parse_things(w, caption) : parse_counted(w, number, caption));
    PLD_TRY(parse_sheet(w, caption));
    return w->at == w->count ? PLD_OK
           : number == NOT_THERE && caption->thing_count == 1 && caption->background == PLD_ANY
               ? refuse(w, "and, a relation, \"on a ... background\" or the end")
               : refuse(w, caption->background == PLD_ANY ? "\"on a ... background\" or the end" : "the end");
}

pld_status pld_caption_parse(const char *text, pld_caption *caption, pld_error *error) {
    words w = {.error = error};
    pld_caption full = {.relation = PLD_ANY, .background = PLD_ANY};
    PLD_TRY(pld_sized_check("pld_caption", caption, error));
    PLD_TRY(split(text, &w));
    PLD_TRY(parse_all(&w, &full));
    pld_sized_write(caption, &full, sizeof full);
    return PLD_OK;
}
