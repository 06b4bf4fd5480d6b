/* SPDX-License-Identifier: Apache-2.0 */
/** The tables: CSV of every picture and of the summary, JSON, Markdown. What depends on the clock stands in
 * cost.csv, results.json and summary.md only, so that the other files are the same after every run. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "evaluate/evaluation.h"
#include "files/json_output.h"
#include "terminal/message.h"
#include "values/json_values.h"

/** A field in quotes where it needs them (RFC 4180). */
static void print_field(FILE *file, const char *text) {
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    fputs(quote ? "\"" : "", file);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    }
    fputs(quote ? "\"" : "", file);
}

static void print_column_names(FILE *file, const evaluation *e) {
    fputs("setting", file);
    for (size_t i = 0; i < e->settings.column_count; i++) {
        fprintf(file, ",%s", e->settings.columns[i]->name);
    }
}

static void print_setting(FILE *file, const evaluation *e, size_t setting) {
    fprintf(file, "%zu", setting);
    for (size_t i = 0; i < e->settings.column_count; i++) {
        fputc(',', file);
        print_field(file, e->settings.items[setting].values[i]);
    }
}

static void print_pictures(FILE *file, const evaluation *e, size_t grid) {
    (void)grid;
    const outcomes *o = &e->outcomes;
    print_column_names(file, e);
    fputs(",prompt,category,caption,seed", file);
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        fprintf(file, ",%s", pld_world_word(PLD_WORLD_ASPECTS, i));
    }
    fputs("\r\n", file);
    for (size_t i = 0; i < outcomes_count(o); i++) {
        const picture_place at = outcomes_place(o, i);
        const scored_prompt *prompt = &e->prompts.items[at.prompt];
        print_setting(file, e, at.setting);
        fprintf(file, ",%zu,%s,", at.prompt,
                pld_world_word(PLD_WORLD_CATEGORIES, (int)prompt->caption.category));
        print_field(file, prompt->text);
        fprintf(file, ",%" PRId64, e->request->base.seed + (int64_t)(at.prompt * o->seeds + at.repetition));
        for (int j = 0; j < PLD_ASPECT_COUNT; j++) {
            const int8_t verdict = o->items[i].verdict[j];
            fputs(verdict == PLD_ANY ? "," : verdict ? ",1" : ",0", file);
        }
        fputs("\r\n", file);
    }
}

static void print_summary(FILE *file, const evaluation *e, size_t grid) {
    (void)grid;
    print_column_names(file, e);
    fputs(",category,prompts,alignment,low,high,baseline,difference,difference_low,difference_high\r\n",
          file);
    for (size_t s = 0; s < e->settings.count; s++) {
        for (int g = 0; g < GROUP_COUNT; g++) {
            const interval *a = &e->statistics[s].alignment[g], *d = &e->statistics[s].difference[g];
            if (e->statistics[s].prompts[g] > 0) {
                print_setting(file, e, s);
                fprintf(file, ",%s,%zu,%.6f,%.6f,%.6f,%zu,%.6f,%.6f,%.6f\r\n", group_name(g),
                        e->statistics[s].prompts[g], a->mean, a->low, a->high, e->settings.items[s].baseline,
                        d->mean, d->low, d->high);
            }
        }
    }
}

static void print_cost(FILE *file, const evaluation *e, size_t grid) {
    (void)grid;
    print_column_names(file, e);
    fputs(",evaluations,denoise_seconds,seconds,denoise_relative_to_baseline\r\n", file);
    for (size_t s = 0; s < e->settings.count; s++) {
        const double base = e->statistics[e->settings.items[s].baseline].denoise_seconds;
        print_setting(file, e, s);
        fprintf(file, ",%g,%.6f,%.6f,%.4f\r\n", e->statistics[s].evaluations,
                e->statistics[s].denoise_seconds, e->statistics[s].seconds,
                base > 0 ? e->statistics[s].denoise_seconds / base : 0);
    }
}

/** "54.2 (50.1-58.0)", in percent. */
static void print_percent(FILE *file, const interval *value) {
    fprintf(file, "%.1f (%.1f–%.1f)", 100 * value->mean, 100 * value->low, 100 * value->high);
}

static bool is_varied(const evaluate_grid *grid, const option *row) {
    for (size_t i = 0; i < grid->count; i++) {
        if (grid->axes[i].row == row && grid->axes[i].count > 1) {
            return true;
        }
    }
    return false;
}

/** Whether some setting of a grid has another one to be compared with. */
static bool has_baseline(const evaluation *e, size_t grid) {
    for (size_t cell = 0; cell < e->settings.cell_counts[grid]; cell++) {
        const size_t s = e->settings.cells[grid][cell];
        if (e->settings.items[s].baseline != s) {
            return true;
        }
    }
    return false;
}

static void print_markdown_head(FILE *file, const evaluation *e, size_t index) {
    const evaluate_grid *grid = &e->request->grids[index];
    size_t columns = 2;
    for (size_t i = 0; i < e->settings.column_count; i++) {
        if (is_varied(grid, e->settings.columns[i])) {
            char title[64];
            sweep_row_title(e->settings.columns[i], title, sizeof title);
            fprintf(file, "| %s ", title);
            columns++;
        }
    }
    fputs("| all, % (95 % CI) ", file);
    if (has_baseline(e, index)) {
        fputs("| difference from PLADIS off ", file);
        columns++;
    }
    for (int g = 1; g < GROUP_COUNT; g++) {
        if (e->statistics[0].prompts[g] > 0) {
            fprintf(file, "| %s ", group_name(g));
            columns++;
        }
    }
    fputs("| denoise, ms |\n", file);
    for (size_t i = 0; i < columns; i++) {
        fputs("| --- ", file);
    }
    fputs("|\n", file);
}

static void print_markdown_row(FILE *file, const evaluation *e, size_t index, size_t s) {
    const evaluate_grid *grid = &e->request->grids[index];
    const setting_statistics *statistics = &e->statistics[s];
    for (size_t i = 0; i < e->settings.column_count; i++) {
        if (is_varied(grid, e->settings.columns[i])) {
            const char *value = e->settings.items[s].values[i];
            fprintf(file, "| %s ", value[0] != '\0' ? value : "–");
        }
    }
    fputs(s == e->best ? "| **" : "| ", file);
    print_percent(file, &statistics->alignment[GROUP_ALL]);
    fputs(s == e->best ? "** " : " ", file);
    if (e->settings.items[s].baseline != s) {
        const interval *d = &statistics->difference[GROUP_ALL];
        fprintf(file, "| %+.1f (%+.1f to %+.1f) ", 100 * d->mean, 100 * d->low, 100 * d->high);
    } else if (has_baseline(e, index)) {
        fputs("| – ", file);
    }
    for (int g = 1; g < GROUP_COUNT; g++) {
        if (statistics->prompts[g] > 0) {
            fprintf(file, "| %.1f ", 100 * statistics->alignment[g].mean);
        }
    }
    fprintf(file, "| %.0f |\n", 1e3 * statistics->denoise_seconds);
}

static void print_markdown(FILE *file, const evaluation *e, size_t grid) {
    (void)grid;
    const outcomes *o = &e->outcomes;
    fprintf(file,
            "%zu prompts, %zu picture%s of each in each of %zu settings; model %s. 95 %% confidence "
            "intervals: Wilson's for shares, Bonett and Price's for paired differences.\n",
            o->prompts, o->seeds, o->seeds == 1 ? "" : "s", o->settings, e->model_name);
    for (size_t i = 0; i < e->request->grid_count; i++) {
        fputc('\n', file);
        print_markdown_head(file, e, i);
        for (size_t cell = 0; cell < e->settings.cell_counts[i]; cell++) {
            const size_t s = e->settings.cells[i][cell];
            size_t first = 0;
            while (e->settings.cells[i][first] != s) {
                first++;
            }
            if (first == cell) { /* a setting that several cells stand for is printed once */
                print_markdown_row(file, e, i, s);
            }
        }
    }
}

static json_t *interval_json(const interval *value) {
    return json_pack("{s:o, s:o, s:o}", "mean", json_number(value->mean), "low", json_number(value->low),
                     "high", json_number(value->high));
}

static json_t *setting_json(const evaluation *e, size_t s) {
    const setting_statistics *statistics = &e->statistics[s];
    json_t *options = json_object(), *alignment = json_object(), *difference = json_object();
    json_t *aspects = json_object();
    for (size_t i = 0; i < e->settings.column_count; i++) {
        const char *value = e->settings.items[s].values[i];
        json_object_set_new(options, e->settings.columns[i]->name,
                            json_text(value[0] != '\0' ? value : NULL));
    }
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (statistics->prompts[g] > 0) {
            json_object_set_new(alignment, group_name(g), interval_json(&statistics->alignment[g]));
            json_object_set_new(difference, group_name(g), interval_json(&statistics->difference[g]));
        }
    }
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        json_object_set_new(aspects, pld_world_word(PLD_WORLD_ASPECTS, i),
                            json_number(statistics->aspects[i]));
    }
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "options", options, "baseline",
                     (json_int_t)e->settings.items[s].baseline, "alignment", alignment,
                     "difference_from_baseline", difference, "aspects", aspects, "evaluations",
                     json_number(statistics->evaluations), "denoise_seconds",
                     json_number(statistics->denoise_seconds), "seconds", json_number(statistics->seconds));
}

static json_t *results_json(const evaluation *e) {
    json_t *settings = json_array(), *prompts = json_object();
    for (size_t s = 0; s < e->settings.count; s++) {
        json_array_append_new(settings, setting_json(e, s));
    }
    for (int g = 0; g < GROUP_COUNT; g++) {
        json_object_set_new(prompts, group_name(g), json_integer((json_int_t)e->statistics[0].prompts[g]));
    }
    return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:s, s:I, s:o}", "version", pld_version(), "model",
                     json_text(e->model_name), "model_fingerprint", e->model_fingerprint, "prompts", prompts,
                     "seeds", (json_int_t)e->outcomes.seeds, "seed", (json_int_t)e->request->base.seed,
                     "intervals", "95 %: alignment Wilson, difference Bonett-Price", "best",
                     (json_int_t)e->best, "settings", settings);
}

int evaluation_write_tables(const evaluation *e) {
    static const struct {
        const char *name;
        void (*print)(FILE *file, const evaluation *e, size_t grid);
    } files[] = {{"results.csv", print_pictures},
                 {"summary.csv", print_summary},
                 {"cost.csv", print_cost},
                 {"summary.md", print_markdown}};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int code = evaluation_write_text(e, files[i].name, 0, files[i].print);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    return evaluation_path(e, "results.json", path) ? json_output_save(results_json(e), path) : EXIT_FAILED;
}
