/* SPDX-License-Identifier: Apache-2.0 */
/* Files that pladis evaluate reads. First byte even: a prompt file; odd: results of an earlier run, to which
 * a picture is added. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evaluate/prompt_set.h"
#include "evaluate/results_file.h"
#include "fuzz.h"

enum { PROMPTS = 3, SEEDS = 1, SETTINGS = 2, PICTURES = PROMPTS * SEEDS * SETTINGS };

static void read_prompts(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    prompt_set set;
    FUZZ_REQUIRE(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (prompt_set_parse("fuzz", text, size, 2, &set)) {
        FUZZ_REQUIRE(set.count > 0 && set.count <= 2 * PLD_CATEGORY_COUNT);
        for (size_t i = 0; i < set.count; i++) {
            pld_caption caption = {.struct_size = sizeof caption};
            FUZZ_REQUIRE(pld_caption_parse(set.items[i].text, &caption, NULL) == PLD_OK);
        }
    } else {
        FUZZ_REQUIRE(set.count == 0 && set.items == NULL);
    }
    prompt_set_free(&set);
    free(text);
}

static bool open_results(const json_t *header, const char *path, outcome *items, results_file *results,
                         size_t *done) {
    outcomes known = {items, PROMPTS, SEEDS, SETTINGS, 0};
    memset(items, 0, PICTURES * sizeof *items);
    bool opened = results_file_open(path, header, &known, results);
    *done = known.done;
    return opened;
}

static void read_results(const uint8_t *data, size_t size) {
    static json_t *header;
    static outcome items[PICTURES];
    char path[256];
    results_file results;
    struct stat before, after;
    size_t done = 0, again = 0, place = 0;
    if (!header) {
        header = json_pack("{s:i, s:{s:s}}", "format", 1, "options", "seed", "42");
        FUZZ_REQUIRE(header);
    }
    fuzz_write("results.jsonl", data, size);
    snprintf(path, sizeof path, "%s/results.jsonl", fuzz_folder());
    FUZZ_REQUIRE(stat(path, &before) == 0);
    bool opened = open_results(header, path, items, &results, &done);
    FUZZ_REQUIRE(stat(path, &after) == 0);
    if (!opened) {
        FUZZ_REQUIRE(before.st_size == after.st_size); /* what is not ours stays as it is */
    } else if (done < PICTURES) {
        const outcome came = {.done = true, .evaluations = 3};
        const outcomes known = {items, PROMPTS, SEEDS, SETTINGS, done};
        while (items[place].done) {
            place++;
        }
        FUZZ_REQUIRE(results_file_add(&results, outcomes_place(&known, place), 42, &came));
        results_file_close(&results);
        FUZZ_REQUIRE(open_results(header, path, items, &results, &again) && again == done + 1);
        FUZZ_REQUIRE(items[place].evaluations == 3);
    }
    results_file_close(&results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_quiet(); /* the program says what it refuses */
    if (size > 0 && data[0] % 2 == 0) {
        read_prompts(data + 1, size - 1);
    } else if (size > 0) {
        read_results(data + 1, size - 1);
    }
    return 0;
}
