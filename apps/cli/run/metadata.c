/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metadata.h"

#include <stdlib.h>

#include "run/drawn.h"
#include "terminal/message.h"

char **metadata_make(const run_facts *facts, const picture *pictures, size_t count) {
    drawn_words *words = calloc(count, sizeof *words);
    const pld_drawn_picture **all = calloc(count, sizeof *all);
    bool done = words != NULL && all != NULL;
    char **text = NULL;
    for (size_t i = 0; done && i < count; i++) {
        done = drawn_words_make(&pictures[i], &words[i]);
        all[i] = &words[i].about;
    }
    pld_drawn_with with;
    pld_drawn_with_init(&with, sizeof with);
    with.model = facts->model_name;
    with.isa = facts->isa;
    with.threads = facts->threads;
    if (!done || pld_metadata_write(all, count, &with, &text, NULL) != PLD_OK) {
        message_failure("out of memory for the PNG's metadata; --no-metadata leaves it out");
    }
    for (size_t i = 0; words != NULL && i < count; i++) {
        drawn_words_free(&words[i]);
    }
    free(words);
    free(all);
    return text;
}
