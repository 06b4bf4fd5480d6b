/* SPDX-License-Identifier: Apache-2.0 */
/* Captions of the demo world. What is understood is in range, and understood again when it is said the plain
 * way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pladis/scoring.h"

static const char *word(pld_world_list list, int index) {
    const char *found = index == PLD_ANY ? "" : pld_world_word(list, index);
    FUZZ_REQUIRE(found);
    return found;
}

static size_t say_thing(const pld_caption *caption, int thing, const char *before, char *text, size_t room) {
    return (size_t)snprintf(text, room, "%s a %s %s %s", before, word(PLD_WORLD_SIZES, caption->sizes[thing]),
                            word(PLD_WORLD_COLOURS, caption->colours[thing]),
                            word(PLD_WORLD_SHAPES, caption->shapes[thing]));
}

static void say(const pld_caption *caption, char *text, size_t room) {
    size_t used = 0;
    if (caption->category == PLD_CATEGORY_COUNTING) {
        used = (size_t)snprintf(
            text, room, "%d %s %s%s", caption->thing_count, word(PLD_WORLD_COLOURS, caption->colours[0]),
            word(PLD_WORLD_SHAPES, caption->shapes[0]), caption->shapes[0] == 5 ? "es" : "s");
    } else {
        for (int i = 0; i < caption->thing_count; i++) {
            const char *before = i == 0                         ? ""
                                 : caption->relation != PLD_ANY ? word(PLD_WORLD_RELATIONS, caption->relation)
                                 : i + 1 < caption->thing_count ? ","
                                                                : " and";
            used += (size_t)snprintf(text + used, room - used, " ");
            used += say_thing(caption, i, before, text + used, room - used);
        }
    }
    if (caption->background != PLD_ANY) {
        snprintf(text + used, room - used, " on a %s background",
                 word(PLD_WORLD_BACKGROUNDS, caption->background));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), again[512] = "";
    pld_caption caption = {.struct_size = sizeof caption}, same = {.struct_size = sizeof same};
    pld_error error = {0};
    FUZZ_REQUIRE(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (pld_caption_parse(text, &caption, &error) == PLD_OK) {
        FUZZ_REQUIRE(caption.thing_count >= 1 && caption.thing_count <= PLD_MAX_THINGS_WANTED);
        say(&caption, again, sizeof again);
        FUZZ_REQUIRE(pld_caption_parse(again, &same, &error) == PLD_OK);
        FUZZ_REQUIRE(memcmp(&caption, &same, sizeof same) == 0);
    } else {
        FUZZ_REQUIRE(error.message[0]);
    }
    free(text);
    return 0;
}
