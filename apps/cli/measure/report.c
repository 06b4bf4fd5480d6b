/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/report.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "files/json_output.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

const char *bench_format(const char *unit, double value, char *text, size_t size) {
    double magnitude = fabs(value);
    if (strcmp(unit, "bytes") == 0) {
        snprintf(text, size, magnitude >= 1e9 ? "%.2f GB" : "%.1f MB",
                 value / (magnitude >= 1e9 ? 1e9 : 1e6));
    } else if (strcmp(unit, "fraction") == 0) {
        snprintf(text, size, "%.2f %%", 100 * value);
    } else if (strcmp(unit, "tiles") == 0) {
        snprintf(text, size, "%.0f tiles", value);
    } else if (magnitude >= 1) {
        snprintf(text, size, "%.3f s", value);
    } else if (magnitude >= 1e-3) {
        snprintf(text, size, "%.3f ms", 1e3 * value);
    } else if (magnitude >= 1e-6) {
        snprintf(text, size, "%.2f us", 1e6 * value);
    } else {
        snprintf(text, size, "%.1f ns", 1e9 * value);
    }
    return text;
}

static void print_machine(const bench_machine *machine) {
    char bf16[32] = "";
    if (machine->peak_bf16_operations > 0) {
        snprintf(bf16, sizeof bf16, ", %.1f bf16", machine->peak_bf16_operations / 1e9);
    }
    print_output(
        "%s, %s, %d thread%s; measured: %.1f GFLOP/s f32%s, %.1f GB/s reading; %.1f GB of memory; %s\n",
        machine->cpu, machine->isa, machine->threads, machine->threads == 1 ? "" : "s",
        machine->peak_operations / 1e9, bf16, machine->memory_bandwidth / 1e9,
        (double)machine->memory_bytes / 1e9, bench_commit());
}

static void print_heading(const char *group) {
    print_output("\n%-64s %-44s %11s %11s %8s %6s %s\n", group, "shape", "median", "spread", "GFLOP/s",
                 "peak", "ratio / implementation");
}

void bench_report_result(void *user, const bench_result *result) {
    bench_table *table = user;
    char median[32], spread[32];
    if (table->group[0] == '\0') {
        print_machine(table->machine);
    }
    if (strcmp(table->group, result->group) != 0) {
        snprintf(table->group, sizeof table->group, "%s", result->group);
        print_heading(table->group);
    }
    print_output("%-64s %-44s %11s %11s", result->name, result->shape,
                 bench_format(result->unit, result->median, median, sizeof median),
                 bench_format(result->unit, result->upper - result->lower, spread, sizeof spread));
    bool rate = result->operations > 0 && result->median > 0;
    if (rate) {
        print_output(" %8.1f", result->operations / result->median / 1e9);
    } else if (result->bytes > 0 && result->median > 0) {
        print_output(" %5.1f GB/s", result->bytes / result->median / 1e9);
    } else {
        print_output(" %8s", "");
    }
    const double peak = bench_peak_of(table->machine, result);
    if (rate && peak > 0) {
        print_output(" %5.1f%%", 100 * result->operations / result->median / peak);
    } else {
        print_output(" %6s", "");
    }
    if (result->ratio > 0) {
        print_output(" %.3fx %s", result->ratio, result->ratio_to);
    }
    if (result->count > 1) {
        print_output(" x%d", result->count);
    }
    print_output(" %s\n", result->implementation);
    (void)output_flush();
}

static json_t *positive_or_null(double value) {
    return value > 0 ? json_number(value) : json_null();
}

static json_t *result_json(const bench_result *r, const bench_machine *machine) {
    double rate = r->median > 0 ? r->operations / r->median : 0;
    double peak = bench_peak_of(machine, r);
    double bandwidth = r->median > 0 ? r->bytes / r->median : 0;
    json_t *object = json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:[o,o], s:s, s:i, s:o}", "group", r->group, "name", json_text(r->name),
        "shape", json_text(r->shape), "median", json_number(r->median), "spread",
        json_number(r->upper - r->lower), "quartiles", json_number(r->lower), json_number(r->upper), "unit",
        r->unit, "repeats", r->repeats, "fraction_of_peak", positive_or_null(peak > 0 ? rate / peak : 0));
    if (object == NULL) {
        return NULL;
    }
    if (rate > 0) {
        json_object_set_new(object, "gflops", json_number(rate / 1e9));
    }
    if (bandwidth > 0) {
        json_object_set_new(object, "gigabytes_per_second", json_number(bandwidth / 1e9));
    }
    if (r->ratio > 0) {
        json_object_set_new(object, "ratio", json_number(r->ratio));
        json_object_set_new(object, "ratio_to", json_text(r->ratio_to));
    }
    if (r->count > 0) {
        json_object_set_new(object, "count", json_integer(r->count));
    }
    if (r->implementation[0] != '\0') {
        json_object_set_new(object, "implementation", json_text(r->implementation));
    }
    return object;
}

int bench_report_json(const bench_run *run, const char *path) {
    const bench_machine *machine = bench_get_machine(run);
    size_t count = 0;
    const bench_result *results = bench_get_results(run, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, result_json(&results[i], machine));
    }
    json_t *root = json_pack("{s:s, s:s, s:{s:o, s:s, s:i, s:o, s:o, s:o, s:I}, s:o}", "version",
                             pld_version(), "commit", bench_commit(), "machine", "cpu",
                             json_text(machine->cpu), "isa", machine->isa, "threads", machine->threads,
                             "peak_gflops", positive_or_null(machine->peak_operations / 1e9),
                             "peak_gflops_bf16", positive_or_null(machine->peak_bf16_operations / 1e9),
                             "memory_gigabytes_per_second", positive_or_null(machine->memory_bandwidth / 1e9),
                             "memory_bytes", (json_int_t)machine->memory_bytes, "results", list);
    return path != NULL ? json_output_save(root, path) : json_output_print(root);
}
