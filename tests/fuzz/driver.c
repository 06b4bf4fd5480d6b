/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer: every file of a corpus folder, then a fixed number of mutations of
 * each. The same run every time, under any compiler and sanitizer.
 *
 *     fuzz_NAME CORPUS_FOLDER [MUTATIONS]    or    fuzz_NAME FILE    to repeat a finding */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { INPUT_ROOM = 1 << 20, MAX_SEEDS = 256, DEFAULT_MUTATIONS = 2000 };

typedef struct input {
    uint8_t *data; /* INPUT_ROOM bytes of room in the scratch input, `size` bytes in seeds */
    size_t size;
} input;

static uint64_t random_state = 0x9e3779b97f4a7c15u;

/** A number in [0, limit); xorshift. */
static size_t random_below(size_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return limit ? (size_t)(random_state % limit) : 0;
}

static input read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    FUZZ_REQUIRE(file);
    input result = {.data = malloc(INPUT_ROOM)};
    FUZZ_REQUIRE(result.data);
    result.size = fread(result.data, 1, INPUT_ROOM, file);
    fclose(file);
    return result;
}

/** Call the target with a copy of exactly the input's size, so that sanitizers see reads beyond its end. */
static void run(const input *one) {
    uint8_t *copy = malloc(one->size ? one->size : 1);
    FUZZ_REQUIRE(copy);
    memcpy(copy, one->data, one->size);
    LLVMFuzzerTestOneInput(copy, one->size);
    free(copy);
}

/** Put `bytes` in place of the range [at, at + removed) of `one`. */
static void splice(input *one, size_t at, size_t removed, const uint8_t *bytes, size_t size) {
    if (one->size - removed + size > INPUT_ROOM) {
        return;
    }
    memmove(one->data + at + size, one->data + at + removed, one->size - at - removed);
    memcpy(one->data + at, bytes, size);
    one->size = one->size - removed + size;
}

/** One small change. `other` lends pieces. */
static void mutate(input *one, const input *other) {
    static const char *const words[] = {"0",
                                        "-1",
                                        "18446744073709551615",
                                        "9223372036854775807",
                                        "4294967296",
                                        "1e999",
                                        "NaN",
                                        "null",
                                        "[",
                                        "{",
                                        "\"",
                                        "\\u0000",
                                        "\xff",
                                        "\xc2\x9b",
                                        ",",
                                        ":",
                                        "../",
                                        "true"};
    size_t at = random_below(one->size + 1);
    size_t rest = one->size - at;
    uint8_t piece[64];
    size_t piece_size = 0;
    switch (random_below(6)) {
    case 0: /* flip a bit */
        if (rest) {
            one->data[at] ^= (uint8_t)(1u << random_below(8));
        }
        break;
    case 1: /* another byte */
        if (rest) {
            one->data[at] = (uint8_t)random_below(256);
        }
        break;
    case 2: /* remove */
        splice(one, at, random_below(rest < 32 ? rest + 1 : 32), piece, 0);
        break;
    case 3: { /* a word that has caused trouble elsewhere */
        const char *word = words[random_below(sizeof words / sizeof *words)];
        splice(one, at, random_below(rest < 4 ? rest + 1 : 4), (const uint8_t *)word, strlen(word));
        break;
    }
    default: /* a piece of this input or another */
        if (other->size) {
            size_t from = random_below(other->size);
            piece_size = random_below(other->size - from < 64 ? other->size - from + 1 : 64);
            memcpy(piece, other->data + from, piece_size);
        }
        splice(one, at, 0, piece, piece_size);
        break;
    }
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/** Read every file of a folder, in the order of their names. */
static size_t read_seeds(const char *folder, input *seeds) {
    char *names[MAX_SEEDS];
    size_t count = 0;
    DIR *directory = opendir(folder);
    FUZZ_REQUIRE(directory);
    struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL && count < MAX_SEEDS) {
        if (entry->d_name[0] != '.') {
            FUZZ_REQUIRE(asprintf(&names[count], "%s/%s", folder, entry->d_name) > 0);
            count++;
        }
    }
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        seeds[i] = read_file(names[i]);
        free(names[i]);
    }
    return count;
}

static void run_mutations(const input *seeds, size_t count, size_t mutations) {
    input scratch = {.data = malloc(INPUT_ROOM)};
    FUZZ_REQUIRE(scratch.data);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < mutations; j++) {
            memcpy(scratch.data, seeds[i].data, seeds[i].size);
            scratch.size = seeds[i].size;
            for (size_t changes = 1 + random_below(4); changes > 0; changes--) {
                mutate(&scratch, &seeds[random_below(count)]);
            }
            run(&scratch);
        }
    }
    free(scratch.data);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS] | FILE\n", arguments[0]);
        return 2;
    }
    struct stat facts;
    FUZZ_REQUIRE(stat(arguments[1], &facts) == 0);
    static input seeds[MAX_SEEDS];
    size_t seed_count = 1;
    size_t mutations = 0;
    if (S_ISDIR(facts.st_mode)) {
        seed_count = read_seeds(arguments[1], seeds);
        mutations = count > 2 ? strtoul(arguments[2], NULL, 10) : DEFAULT_MUTATIONS;
    } else {
        seeds[0] = read_file(arguments[1]);
    }
    for (size_t i = 0; i < seed_count; i++) {
        run(&seeds[i]);
    }
    run_mutations(seeds, seed_count, mutations);
    for (size_t i = 0; i < seed_count; i++) {
        free(seeds[i].data);
    }
    printf("%zu inputs, %zu mutations\n", seed_count, seed_count * mutations);
    return seed_count > 0 ? 0 : 1;
}
