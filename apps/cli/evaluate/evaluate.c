/* SPDX-License-Identifier: Apache-2.0 */
/** pladis evaluate: how well pictures follow their prompts, over a grid of settings. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "evaluate/evaluation.h"
#include "files/model_path.h"
#include "files/output_format.h"
#include "files/output_set.h"
#include "pictures/lora_set.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

static bool make_folder(const char *path) {
    struct stat status;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))) {
        return true;
    }
    message_failure("%s: the folder cannot be created: %s", path, strerror(errno));
    return false;
}

/** Every file that will be written in the folder can be, and none is what the evaluation reads. */
static int check_outputs(const evaluation *e) {
    static const char *const names[] = {"results.jsonl", "results.csv",  "summary.csv",   "cost.csv",
                                        "summary.md",    "results.json", "pictures/p.png"};
    const generate_request *base = &e->request->base;
    const struct {
        const char *option_name, *path;
    } inputs[] = {{"prompts", e->request->prompts},
                  {"model", base->model},
                  {"unet", base->unet},
                  {"vae", base->vae},
                  {"text-encoder", base->text_encoder},
                  {"text-encoder-2", base->text_encoder_2},
                  {"text-encoder-3", base->text_encoder_3},
                  {"tokenizer", base->tokenizer},
                  {"init-noise", base->init_noise}};
    char path[PATH_MAX], name[64];
    output_set outputs = {0};
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < sizeof inputs / sizeof *inputs; i++) {
        code =
            output_set_add_input(&outputs, inputs[i].option_name, inputs[i].path) ? EXIT_DONE : EXIT_FAILED;
    }
    for (size_t i = 0; code == EXIT_DONE && i < sizeof names / sizeof *names; i++) {
        code = evaluation_path(e, names[i], path) ? output_set_add(&outputs, "output", path) : EXIT_USAGE;
    }
    for (size_t i = 0; code == EXIT_DONE && i < 2 * e->request->grid_count; i++) {
        evaluation_grid_name(e, i % 2 ? "pictures" : "alignment", i % 2 ? "png" : "svg", i / 2, name,
                             sizeof name);
        code = evaluation_path(e, name, path) ? output_set_add(&outputs, "output", path) : EXIT_USAGE;
    }
    if (code == EXIT_DONE && e->request->select != NULL) {
        code = output_set_add(&outputs, "select", "-");
    }
    code = code == EXIT_DONE ? output_set_check(&outputs) : code;
    output_set_free(&outputs);
    return code;
}

/** The model's own prompts, or those of --prompts. */
static bool read_prompts(evaluation *e) {
    char path[PATH_MAX + 32];
    const evaluate_request *request = e->request;
    struct stat status;
    snprintf(path, sizeof path, "%s/prompts/%s.jsonl", e->model_path,
             request->split != NULL ? request->split : "heldout");
    if (request->prompts == NULL && stat(path, &status) != 0) {
        message_failure("%s: the model has no prompts of its own; give captions with --prompts FILE", path);
        return false;
    }
    if (!prompt_set_read(request->prompts != NULL ? request->prompts : path, (size_t)request->each,
                         &e->prompts)) {
        return false;
    }
    for (int category = 0; category < PLD_CATEGORY_COUNT; category++) {
        for (size_t i = 0; i < e->prompts.count; i++) {
            if ((int)e->prompts.items[i].caption.category == category) {
                e->shown[e->shown_count++] = i;
                break;
            }
        }
    }
    return true;
}

/** What must be the same for results to belong together. */
static json_t *make_header(const evaluation *e) {
    json_t *options = json_object(), *settings = json_array();
    for (size_t i = 0; pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        char text[1024];
        if (row->of_picture && pld_option_belongs(row, "generate") && strcmp(row->name, "prompt") != 0 &&
            evaluate_settings_column(&e->settings, row->name) >= e->settings.column_count) {
            evaluate_value_text(row, &e->request->base, e->request->typed, text, sizeof text);
            json_object_set_new(options, row->name, json_text(text));
        }
    }
    for (size_t i = 0; i < e->settings.count; i++) {
        json_array_append_new(settings, json_text(e->settings.items[i].key));
    }
    return json_pack("{s:i, s:o, s:s, s:s, s:I, s:I, s:o, s:o}", "format", 1, "model",
                     json_text(e->model_name), "model_fingerprint", e->model_fingerprint,
                     "prompts_fingerprint", e->prompts.fingerprint, "prompts", (json_int_t)e->prompts.count,
                     "seeds", (json_int_t)e->request->seeds, "settings", settings, "options", options);
}

/** Open results.jsonl, with what an earlier run left there. */
static bool open_results(evaluation *e) {
    char path[PATH_MAX];
    e->outcomes = (outcomes){
        .prompts = e->prompts.count, .seeds = (size_t)e->request->seeds, .settings = e->settings.count};
    e->outcomes.items = calloc(outcomes_count(&e->outcomes), sizeof *e->outcomes.items);
    e->statistics = calloc(e->settings.count, sizeof *e->statistics);
    json_t *header = make_header(e);
    bool done =
        e->outcomes.items != NULL && e->statistics != NULL && header != NULL && !json_memory_was_out();
    if (!done) {
        message_failure("out of memory for %zu pictures", outcomes_count(&e->outcomes));
    }
    done = done && evaluation_path(e, "results.jsonl", path) &&
           results_file_open(path, header, &e->outcomes, &e->results);
    json_decref(header);
    return done;
}

/** Every file that makes up the model. */
static bool fingerprint_model(evaluation *e) {
    const generate_request *base = &e->request->base;
    const char *const parts[] = {e->model_path,      base->unet,           base->vae,
                                 base->text_encoder, base->text_encoder_2, base->text_encoder_3,
                                 base->tokenizer,    base->config};
    uint64_t hash = 0;
    bool done = true;
    for (size_t i = 0; done && i < sizeof parts / sizeof *parts; i++) {
        done = parts[i] == NULL || hash_path(parts[i], &hash);
    }
    lora_set loras = {0};
    done = done && lora_set_make(base, "", &loras) == EXIT_DONE;
    for (size_t i = 0; done && i < loras.count; i++) {
        done = hash_path(loras.items[i]->path, &hash);
    }
    lora_set_free(&loras);
    hash_text(hash, e->model_fingerprint);
    return done;
}

static int begin(evaluation *e) {
    const evaluate_request *request = e->request;
    char pictures[PATH_MAX];
    if (output_format_check("output", request->folder, &output_folder) != EXIT_DONE ||
        !evaluate_settings_make(request, &e->settings)) {
        return EXIT_USAGE;
    }
    if (!model_path_find(request->base.model, e->model_path, sizeof e->model_path)) {
        return EXIT_FAILED;
    }
    path_base_name(e->model_path, e->model_name, sizeof e->model_name);
    cancel_install();
    if (!read_prompts(e) || !fingerprint_model(e) || !make_folder(request->folder) ||
        !evaluation_path(e, "pictures", pictures) || !make_folder(pictures)) {
        return EXIT_FAILED;
    }
    int code = check_outputs(e);
    if (code != EXIT_DONE || !open_results(e)) {
        return code != EXIT_DONE ? code : EXIT_FAILED;
    }
    message_line("%zu prompts, %zu settings, %zu pictures", e->prompts.count, e->settings.count,
                 outcomes_count(&e->outcomes));
    return EXIT_DONE;
}

static void find_best(evaluation *e) {
    for (size_t i = 1; i < e->settings.count; i++) {
        if (e->statistics[i].alignment[GROUP_ALL].mean > e->statistics[e->best].alignment[GROUP_ALL].mean) {
            e->best = i;
        }
    }
}

static int finish(evaluation *e) {
    const evaluate_request *request = e->request;
    if (!statistics_make(&e->outcomes, &e->prompts, &e->settings, e->statistics)) {
        return EXIT_FAILED;
    }
    find_best(e);
    int code = evaluation_write_tables(e);
    code = code == EXIT_DONE ? evaluation_write_plots(e) : code;
    code = code == EXIT_DONE ? evaluation_write_sheets(e) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    const interval *best = &e->statistics[e->best].alignment[GROUP_ALL];
    message_line("best      %s: %.1f %% (95 %% confidence interval %.1f to %.1f)",
                 e->settings.items[e->best].key, 100 * best->mean, 100 * best->low, 100 * best->high);
    message_line("tables    %s/summary.md, summary.csv, results.csv, results.json, cost.csv",
                 request->folder);
    if (request->select != NULL) {
        size_t column = evaluate_settings_column(&e->settings, request->select);
        print_output("%s\n", e->settings.items[e->best].values[column]);
    }
    return EXIT_DONE;
}

int command_evaluate(int argc, char **argv) {
    static evaluate_request request;
    static evaluation e;
    e.request = &request;
    e.results.file = -1;
    options_result result = evaluate_request_parse(argc, argv, &request);
    int code = result == OPTIONS_RUN ? EXIT_DONE : options_exit_code(result);
    if (result == OPTIONS_RUN) {
        code = begin(&e);
        code = code == EXIT_DONE ? evaluation_draw(&e) : code;
        code = code == EXIT_DONE ? finish(&e) : code;
    }
    results_file_close(&e.results);
    prompt_set_free(&e.prompts);
    free(e.outcomes.items);
    free(e.statistics);
    evaluate_settings_free(&e.settings);
    evaluate_request_free(&request);
    return code;
}
