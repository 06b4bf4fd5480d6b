/* SPDX-License-Identifier: Apache-2.0 */
#include "files/output_set.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pladis/pladis.h>

#include "terminal/message.h"

typedef struct output_place {
    const char *option; /* borrowed */
    char *path;         /* as it was given */
    char *target;       /* the absolute path behind all links */
    bool is_input;
    size_t order; /* in which they were added */
} output_place;

static bool add(output_set *set, const char *option, const char *path, const char *target, bool is_input) {
    if (set->count == set->capacity) {
        const size_t capacity = set->capacity > 0 ? 2 * set->capacity : 16;
        output_place *items =
            capacity <= SIZE_MAX / sizeof *items ? realloc(set->items, capacity * sizeof *items) : NULL;
        if (items == NULL) {
            message_failure("out of memory for file names");
            return false;
        }
        set->items = items;
        set->capacity = capacity;
    }
    output_place place = {option, strdup(path), strdup(target), is_input, set->count};
    if (place.path == NULL || place.target == NULL) {
        free(place.path);
        free(place.target);
        message_failure("out of memory for file names");
        return false;
    }
    set->items[set->count++] = place;
    return true;
}

bool output_set_add_input(output_set *set, const char *option, const char *path) {
    struct stat facts;
    if (path == NULL || strcmp(path, "-") == 0 || stat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return true;
    }
    char *target = realpath(path, NULL);
    bool done = target == NULL || add(set, option, path, target, true);
    free(target);
    return done;
}

int output_set_add(output_set *set, const char *option, const char *path) {
    char target[PATH_MAX];
    pld_error error = {0};
    const char *file = strcmp(path, "-") == 0 ? "/dev/stdout" : path;
    if (path[0] == '\0') {
        return message_usage("--%s: found \"\", expected a file name", option);
    }
    if (pld_output_check(file, target, sizeof target, &error) != PLD_OK) {
        return message_failure("--%s: %s", option, error.message);
    }
    return add(set, option, path, target, false) ? EXIT_DONE : EXIT_FAILED;
}

static int compare_targets(const void *a, const void *b) {
    const output_place *first = a, *second = b;
    const int order = strcmp(first->target, second->target);
    return order != 0 ? order : (first->order > second->order) - (first->order < second->order);
}

/** Devices may be written any number of times. */
static bool is_device(const char *target) {
    struct stat facts;
    return stat(target, &facts) == 0 && S_ISCHR(facts.st_mode);
}

/** Two neighbours of one target. */
static int report(const output_place *first, const output_place *second) {
    const output_place *written = second->is_input ? first : second,
                       *other = second->is_input ? second : first;
    const char *does = other->is_input ? "reads" : "writes";
    if (strcmp(written->option, other->option) == 0) {
        return message_usage("--%s: %s would be written twice; choose another name, or write %%d in it for "
                             "the number of the picture",
                             written->option, written->path);
    }
    return message_usage("--%s: %s is also what --%s %s; choose another name", written->option, written->path,
                         other->option, does);
}

int output_set_check(const output_set *set) {
    output_place *sorted = malloc((set->count + 1) * sizeof *sorted);
    if (sorted == NULL) {
        return message_failure("out of memory for file names");
    }
    if (set->count > 0) {
        memcpy(sorted, set->items, set->count * sizeof *sorted);
        qsort(sorted, set->count, sizeof *sorted, compare_targets);
    }
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i + 1 < set->count; i++) {
        const output_place *first = &sorted[i], *second = &sorted[i + 1];
        if (strcmp(first->target, second->target) == 0 && !(first->is_input && second->is_input) &&
            !is_device(first->target)) {
            code = report(first, second);
        }
    }
    free(sorted);
    return code;
}

void output_set_free(output_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].path);
        free(set->items[i].target);
    }
    free(set->items);
    *set = (output_set){0};
}
