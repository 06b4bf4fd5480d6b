/* SPDX-License-Identifier: Apache-2.0 */
/* The measured figures as a table and as JSON. */
#include <string.h>

#include <jansson.h>

#include "attention.h"

/** Operations of the two products, all that is counted. */
static double operations(const bench_shape *shape) {
    return 4.0 * (double)shape->heads * shape->head_size * (double)shape->queries * (double)shape->keys;
}

static void read_cpu_name(char *name, size_t size) {
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(name, size, "unknown");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            line[strcspn(line, "\n")] = 0;
            snprintf(name, size, "%s", colon + 2);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}

static void print_table(const bench_options *options, const char *cpu, double peak, const double *row_seconds,
                        const bench_result *results, int count) {
    printf("%s, %s, %d thread%s, measured peak %.1f GFLOP/s\n\n", cpu, pld_isa_name(options->kernels->isa),
           options->threads, options->threads == 1 ? "" : "s", peak / 1e9);
    printf("one row of 77 logits, one thread:\n");
    for (int rule = 0; rule < BENCH_RULES; rule++) {
        printf("  %-18s %7.1f ns  %5.2fx\n", bench_rules[rule].name, 1e9 * row_seconds[rule],
               row_seconds[rule] / row_seconds[0]);
    }
    printf("\n%-24s %-18s %10s %8s %7s %6s %7s %10s %7s\n", "shape", "rows", "core ms", "ns/row", "GFLOP/s",
           "peak", "ratio", "layer ms", "ratio");
    for (int i = 0; i < count; i++) {
        const bench_result *result = &results[i];
        const bench_shape *shape = result->shape;
        for (int rule = 0; rule < result->rules; rule++) {
            double seconds = result->core_seconds[rule], rate = operations(shape) / seconds;
            printf("%-24s %-18s %10.3f %8.1f %7.1f %5.1f%% %6.2fx", rule ? "" : shape->name,
                   bench_rules[rule].name, 1e3 * seconds,
                   1e9 * seconds / ((double)shape->queries * shape->heads), rate / 1e9,
                   peak > 0 ? 100 * rate / peak : 0, result->core_ratio[rule]);
            if (shape->cross) {
                printf(" %10.3f %6.2fx", 1e3 * result->layer_seconds[rule], result->layer_ratio[rule]);
            }
            printf("\n");
        }
    }
}

static json_t *rule_json(const bench_result *result, int rule, double peak) {
    const bench_shape *shape = result->shape;
    double seconds = result->core_seconds[rule], rate = operations(shape) / seconds;
    json_t *entry = json_pack("{s:s, s:f, s:f, s:f, s:f}", "rows", bench_rules[rule].name, "core_seconds",
                              seconds, "core_ratio", result->core_ratio[rule], "seconds_per_row",
                              seconds / ((double)shape->queries * shape->heads), "gflops", rate / 1e9);
    if (peak > 0) {
        json_object_set_new(entry, "fraction_of_peak", json_real(rate / peak));
    }
    if (shape->cross) {
        json_object_set_new(entry, "layer_seconds", json_real(result->layer_seconds[rule]));
        json_object_set_new(entry, "layer_ratio", json_real(result->layer_ratio[rule]));
    }
    return entry;
}

static int write_json(const bench_options *options, const char *cpu, double peak, const double *row_seconds,
                      const bench_result *results, int count) {
    json_t *rows = json_object();
    for (int rule = 0; rule < BENCH_RULES; rule++) {
        json_object_set_new(rows, bench_rules[rule].name, json_real(row_seconds[rule]));
    }
    json_t *shapes = json_array();
    for (int i = 0; i < count; i++) {
        const bench_shape *shape = results[i].shape;
        json_t *rules = json_array();
        for (int rule = 0; rule < results[i].rules; rule++) {
            json_array_append_new(rules, rule_json(&results[i], rule, peak));
        }
        json_array_append_new(shapes, json_pack("{s:s, s:i, s:i, s:I, s:I, s:o}", "name", shape->name,
                                                "heads", shape->heads, "head_size", shape->head_size,
                                                "queries", (json_int_t)shape->queries, "keys",
                                                (json_int_t)shape->keys, "results", rules));
    }
    json_t *root = json_pack("{s:s, s:s, s:i, s:f, s:o, s:o}", "cpu", cpu, "isa",
                             pld_isa_name(options->kernels->isa), "threads", options->threads, "peak_gflops",
                             peak / 1e9, "seconds_per_row_of_77", rows, "shapes", shapes);
    int failed = !root || json_dump_file(root, options->json, JSON_INDENT(1)) != 0;
    json_decref(root);
    if (failed) {
        fprintf(stderr, "bench attention: cannot write '%s'\n", options->json);
    }
    return failed;
}

int bench_report(const bench_options *options, double peak, const double *row_seconds,
                 const bench_result *results, int count) {
    char cpu[256];
    read_cpu_name(cpu, sizeof cpu);
    print_table(options, cpu, peak, row_seconds, results, count);
    return options->json ? write_json(options, cpu, peak, row_seconds, results, count) : 0;
}
