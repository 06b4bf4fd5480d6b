/* SPDX-License-Identifier: Apache-2.0 */
/** pladis bench: measure kernels, operators, stages and whole generations. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bench/bench.h>

#include "commands.h"
#include "files/model_path.h"
#include "files/output_format.h"
#include "files/output_set.h"
#include "files/whole_file.h"
#include "measure/profile_table.h"
#include "measure/report.h"
#include "options/options.h"
#include "terminal/cancel.h"
#include "terminal/message.h"

typedef struct bench_request {
    const pld_option_value *models, *only; /**< lists */
    const char *json, *compare, *profile, *isa, *conv, *dtype;
    bool low_memory;
    int64_t threads, repeats, width, height, steps;
} bench_request;

#define GROUPS "kernels attention operators stages tune generate all"

static const option_field fields[] = {
    {"json", offsetof(bench_request, json)},
    {"compare", offsetof(bench_request, compare)},
    {"profile", offsetof(bench_request, profile)},
    {"isa", offsetof(bench_request, isa)},
    {"conv", offsetof(bench_request, conv)},
    {"dtype", offsetof(bench_request, dtype)},
    {"low-memory", offsetof(bench_request, low_memory)},
    {"threads", offsetof(bench_request, threads)},
    {"repeats", offsetof(bench_request, repeats)},
    {"width", offsetof(bench_request, width)},
    {"height", offsetof(bench_request, height)},
    {"steps", offsetof(bench_request, steps)},
};

const option_set bench_options_of_program = {
    .command = "bench",
    .brief = "measure kernels, operators, stages and whole generations",
    .usage = "pladis bench [kernels|attention|operators|stages|tune|generate|all] [options]",
    .summary = "Measure, and print medians, quartiles, GFLOP/s and the fraction of the peak that was\n"
               "measured on this machine in the same run. Without an argument: kernels and attention.\n"
               "\n"
               "  kernels     row normalisers, norms, activations and conversions, each alone\n"
               "  attention   attention of real models, softmax and PLADIS in turn\n"
               "  operators   each different operator of the models' networks\n"
               "  stages      text encoder, denoiser evaluation, decoder; what PLADIS costs\n"
               "  tune        the number of tiles from which Winograd convolutions are faster\n"
               "  generate    whole generations, from opening the model to the picture",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .words = GROUPS,
    .examples = "  pladis bench attention --only 'sd15 512'\n"
                "  pladis bench operators -m random:sd15 --json operators.json\n"
                "  pladis bench stages -m random:sdxl -W 512 -H 512 --repeats 2\n"
                "  pladis bench stages generate -m demo --compare before.json\n",
    .most_positionals = 6,
};

/** What a run holds open. */
typedef struct bench_state {
    bench_options options;
    char names[BENCH_MOST_MODELS][256], paths[BENCH_MOST_MODELS][PATH_MAX];
    vocabularies vocabularies;
    bool wanted[16]; /* by group */
    bench_run *run;
    pld_profile *profile;
    bench_old *old; /* NULL without --compare */
    bench_table table;
} bench_state;

static bool has_index(const char *folder, const char *name, const char *index) {
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%s/%s/%s", folder, name, index);
    return length > 0 && (size_t)length < sizeof path && whole_file_is_there(path);
}

/** Folder of the configurations of the published model `name`; false when there is none of that name. */
static bool find_configurations(const char *name, char *path, size_t size) {
    static const char *const folders[] = {PLADIS_SOURCE_BENCH_MODELS, PLADIS_BENCH_MODELS};
    enum { FOLDERS = sizeof folders / sizeof folders[0] };
    for (size_t i = 0; i < FOLDERS; i++) {
        if (has_index(folders[i], name, "model_index.json") ||
            has_index(folders[i], name, "modular_model_index.json")) {
            snprintf(path, size, "%s/%s", folders[i], name);
            return true;
        }
    }
    return false;
}

/** Fill place `i` of the models from what stands after -m. False after an error line. */
static bool find_model(bench_state *state, int i, const char *wanted) {
    static const char random[] = "random:";
    bench_model *model = &state->options.models[i];
    model->random = strncmp(wanted, random, strlen(random)) == 0;
    const char *name = model->random ? wanted + strlen(random) : wanted;
    bool published = model->random && strchr(name, '/') == NULL;
    if (!published || !find_configurations(name, state->paths[i], sizeof state->paths[i])) {
        if (!model_path_find(name, state->paths[i], sizeof state->paths[i])) {
            return false;
        }
    }
    path_base_name(state->paths[i], state->names[i], sizeof state->names[i]);
    model->name = state->names[i];
    model->path = state->paths[i];
    state->options.model_count = i + 1;
    return true;
}

/** The models to measure in `group`: those named, else its own choice. */
static bool choose_models(bench_state *state, const bench_request *request, const bench_group *group) {
    state->options.model_count = 0;
    if (!group->needs_models) {
        return true;
    }
    for (size_t i = 0; i < request->models->count; i++) {
        if (!find_model(state, (int)i, request->models->texts[i])) {
            return false;
        }
    }
    const bool full = strcmp(group->name, "operators") == 0 || strcmp(group->name, "tune") == 0;
    return request->models->count > 0 || find_model(state, 0, full ? "random:sd15" : "demo");
}

/** Mark the groups that the words name. False after an error line. */
static bool choose_groups(bench_state *state, const char *const *words, size_t count) {
    static const char *const usual[] = {"kernels", "attention"};
    for (size_t i = 0; i < (count ? count : 2); i++) {
        const char *word = count ? words[i] : usual[i];
        bool all = strcmp(word, "all") == 0, known = all;
        for (int group = 0; group < bench_group_count; group++) {
            bool same = strcmp(word, bench_groups[group].name) == 0;
            state->wanted[group] = state->wanted[group] || all || same;
            known = known || same;
        }
        if (!known) {
            message_usage("bench: found \"%s\", expected one of: " GROUPS, word);
            return false;
        }
    }
    return true;
}

static bool json_to_output(const bench_request *request) {
    return request->json != NULL && (request->json[0] == '\0' || strcmp(request->json, "-") == 0);
}

static int measure(bench_state *state, const bench_request *request) {
    pld_error error = {0};
    if (bench_create(&state->options, &state->run, &error) != PLD_OK) {
        return message_error(&error);
    }
    state->table.machine = bench_get_machine(state->run);
    for (int group = 0; group < bench_group_count; group++) {
        if (!state->wanted[group]) {
            continue;
        }
        if (!choose_models(state, request, &bench_groups[group])) {
            return EXIT_FAILED;
        }
        bench_set_models(state->run, &state->options);
        if (bench_groups[group].measure(state->run, &error) != PLD_OK) {
            return message_error(&error);
        }
    }
    size_t count;
    (void)bench_get_results(state->run, &count);
    return count > 0 ? EXIT_DONE
                     : message_failure("bench: nothing was measured: no result's name contains '%s'%s",
                                       state->options.only_count ? state->options.only[0] : "",
                                       state->options.only_count > 1 ? " or the others" : "");
}

static int report(bench_state *state, const bench_request *request) {
    int code = EXIT_DONE;
    if (state->profile != NULL) {
        code = profile_table_save(state->profile, request->profile);
        code = code == EXIT_DONE ? profile_table_print(state->profile) : code;
    }
    if (code == EXIT_DONE && state->old != NULL) {
        bench_old_compare(state->old, state->run, json_to_output(request) ? print_message : print_output);
    }
    if (code == EXIT_DONE && request->json != NULL) {
        code = bench_report_json(state->run, json_to_output(request) ? NULL : request->json);
    }
    return code;
}

/** Where figures go: files that can be written, two of them, and none that is read. */
static int check_outputs(const bench_request *request) {
    output_set outputs = {0};
    pld_error error = {0};
    if (pld_output_check("/dev/stdout", NULL, 0, &error) != PLD_OK) {
        return message_failure("%s", error.message); /* where the table goes, or the JSON */
    }
    const char *const paths[] = {json_to_output(request) ? "-" : request->json, request->profile};
    static const char *const options[] = {"json", "profile"};
    int code = output_set_add_input(&outputs, "compare", request->compare) ? EXIT_DONE : EXIT_FAILED;
    for (size_t i = 0; code == EXIT_DONE && i < 2; i++) {
        if (paths[i] != NULL) {
            code = output_format_check(options[i], paths[i], &output_json);
            code = code == EXIT_DONE ? output_set_add(&outputs, options[i], paths[i]) : code;
        }
    }
    code = code == EXIT_DONE ? output_set_check(&outputs) : code;
    for (size_t i = 0; code == EXIT_DONE && i < 2; i++) {
        if (paths[i] != NULL) {
            output_format_note(options[i], paths[i], &output_json);
        }
    }
    output_set_free(&outputs);
    return code;
}

/** What can be wrong is found before minutes of measuring. */
static int prepare(bench_state *state, const bench_request *request) {
    pld_error error = {0};
    for (int group = 0; group < bench_group_count; group++) {
        if (state->wanted[group] && !choose_models(state, request, &bench_groups[group])) {
            return EXIT_FAILED;
        }
    }
    int code = check_outputs(request);
    if (code != EXIT_DONE) {
        return code;
    }
    if (request->compare != NULL && !bench_old_read(request->compare, &state->old)) {
        return EXIT_FAILED;
    }
    if (request->profile != NULL && pld_profile_create(&state->profile, &error) != PLD_OK) {
        return message_error(&error);
    }
    state->options.profile = state->profile;
    return EXIT_DONE;
}

static int run(bench_state *state, const bench_request *request, const char *const *words,
               size_t word_count) {
    if (!choose_groups(state, words, word_count)) {
        return EXIT_USAGE;
    }
    vocabularies_find(&state->vocabularies);
    state->options = (bench_options){.threads = (int)request->threads,
                                     .isa = request->isa,
                                     .conv = request->conv,
                                     .dtype = request->dtype,
                                     .vocabulary = state->vocabularies.clip,
                                     .low_memory = request->low_memory,
                                     .repeats = (int)request->repeats,
                                     .only = request->only->texts,
                                     .only_count = (int)request->only->count,
                                     .width = (int)request->width,
                                     .height = (int)request->height,
                                     .steps = (int)request->steps,
                                     .cancel = cancel_flag(),
                                     .user = &state->table,
                                     .show = json_to_output(request) ? NULL : bench_report_result};
    cancel_install();
    int code = prepare(state, request);
    if (code == EXIT_DONE) {
        code = measure(state, request);
    }
    if (code == EXIT_DONE) {
        code = report(state, request);
    }
    bench_old_free(&state->old);
    bench_destroy(&state->run);
    pld_profile_destroy(&state->profile);
    return code;
}

int command_bench(int argc, char **argv) {
    static bench_state state;
    bench_request request = {0};
    pld_options *values = NULL;
    const char *words[6];
    size_t word_count = 0;
    options_result result =
        options_read(&bench_options_of_program, argc, argv, &values, &request, words, &word_count);
    int code = options_exit_code(result);
    if (result == OPTIONS_RUN) {
        request.models = pld_options_get(values, "bench", "model");
        request.only = pld_options_get(values, "bench", "only");
        code = run(&state, &request, words, word_count);
    }
    pld_options_destroy(&values);
    return code;
}
