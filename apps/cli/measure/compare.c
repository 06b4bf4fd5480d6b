/* SPDX-License-Identifier: Apache-2.0 */
/* An earlier run's figures beside those of this one. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "files/whole_file.h"
#include "measure/report.h"
#include "terminal/message.h"
#include "values/json_values.h"

struct bench_old {
    json_t *root;
    const json_t *results;
    const char *path;
};

enum { MOST_BYTES = 64 << 20 };

static bool is_result(const json_t *entry) {
    const json_t *quartiles = json_object_get(entry, "quartiles");
    return json_is_string(json_object_get(entry, "group")) &&
           json_is_string(json_object_get(entry, "name")) &&
           json_is_string(json_object_get(entry, "shape")) &&
           json_is_string(json_object_get(entry, "unit")) &&
           json_is_number(json_object_get(entry, "median")) && json_array_size(quartiles) == 2 &&
           json_is_number(json_array_get(quartiles, 0)) && json_is_number(json_array_get(quartiles, 1));
}

/** Whether what was read is what --json writes; an error line when it is not. */
static bool check(const bench_old *old) {
    if (!json_is_array(old->results) || !json_is_object(json_object_get(old->root, "machine"))) {
        message_failure("%s: expected 'machine' and 'results' as pladis bench --json writes them", old->path);
        return false;
    }
    for (size_t i = 0; i < json_array_size(old->results); i++) {
        if (!is_result(json_array_get(old->results, i))) {
            message_failure("%s: results[%zu]: expected group, name, shape, unit, median and quartiles",
                            old->path, i);
            return false;
        }
    }
    return true;
}

bool bench_old_read(const char *path, bench_old **old) {
    size_t size = 0;
    json_error_t problem;
    char *text = whole_file_read_text(path, MOST_BYTES, &size);
    if (text == NULL) {
        return false;
    }
    *old = calloc(1, sizeof **old);
    if (*old == NULL) {
        free(text);
        message_failure("out of memory");
        return false;
    }
    (*old)->path = path;
    (*old)->root = json_read(text, size, &problem);
    free(text);
    if ((*old)->root == NULL) {
        message_failure("%s: line %d: %s; expected what pladis bench --json writes", path, problem.line,
                        problem.text);
        return false;
    }
    (*old)->results = json_object_get((*old)->root, "results");
    return check(*old);
}

void bench_old_free(bench_old **old) {
    if (*old != NULL) {
        json_decref((*old)->root);
        free(*old);
        *old = NULL;
    }
}

static const char *text_of(const json_t *entry, const char *field) {
    return json_string_value(json_object_get(entry, field));
}

/** The earlier figures of the same thing, or NULL. */
static const json_t *find(const bench_old *old, const bench_result *result) {
    for (size_t i = 0; i < json_array_size(old->results); i++) {
        const json_t *entry = json_array_get(old->results, i);
        if (strcmp(text_of(entry, "group"), result->group) == 0 &&
            strcmp(text_of(entry, "name"), result->name) == 0 &&
            strcmp(text_of(entry, "shape"), result->shape) == 0 &&
            strcmp(text_of(entry, "unit"), result->unit) == 0) {
            return entry;
        }
    }
    return NULL;
}

/** Say where the earlier run was another machine's, since ratios then mean little. */
static void note_machine(const bench_old *old, const bench_machine *machine) {
    const json_t *was = json_object_get(old->root, "machine");
    const char *cpu = text_of(was, "cpu"), *isa = text_of(was, "isa");
    int threads = (int)json_integer_value(json_object_get(was, "threads"));
    if (cpu == NULL || isa == NULL || strcmp(cpu, machine->cpu) != 0 || strcmp(isa, machine->isa) != 0 ||
        threads != machine->threads) {
        message_note("%s was measured on %s, %s, %d threads", old->path, cpu ? cpu : "an unknown CPU",
                     isa ? isa : "unknown", threads);
    }
}

void bench_old_compare(const bench_old *old, const bench_run *run, output_printer print) {
    size_t count = 0, found = 0;
    const bench_result *results = bench_get_results(run, &count);
    const char *commit = text_of(old->root, "commit");
    note_machine(old, bench_get_machine(run));
    print("\n%-64s %-44s %11s %11s %9s\n", "compared", "shape", commit ? commit : "old", "now", "now/old");
    for (size_t i = 0; i < count; i++) {
        const bench_result *result = &results[i];
        const json_t *entry = find(old, result);
        if (entry == NULL) {
            continue;
        }
        char before[32], after[32];
        double median = json_number_value(json_object_get(entry, "median"));
        double lower = json_number_value(json_array_get(json_object_get(entry, "quartiles"), 0));
        double upper = json_number_value(json_array_get(json_object_get(entry, "quartiles"), 1));
        bool apart = result->lower > upper || result->upper < lower;
        found++;
        print("%-64s %-44s %11s %11s", result->name, result->shape,
              bench_format(result->unit, median, before, sizeof before),
              bench_format(result->unit, result->median, after, sizeof after));
        if (median > 0) {
            print(" %8.3fx%s\n", result->median / median, apart ? " *" : "");
        } else {
            print(" %9s%s\n", "", apart ? " *" : "");
        }
    }
    print("%zu of %zu results are in both; * marks what lies beyond the quartiles of both\n", found, count);
}
