/* SPDX-License-Identifier: Apache-2.0 */
/* Every sampler against diffusers' schedulers: whole runs on a stand-in for the network, by the rows of
 * tests/data/sampling/cases.json (tools/reference/sampling_cases.py computes them), and call by call along
 * the recorded generations of the reference. */
#define _GNU_SOURCE
#include "reference_cases.h"
#include "sampling/sampler.h"
#include "sampling_data.h"

enum { ELEMENTS = 64, NAME_BYTES = 256, KINDS = 16 };

/* Timesteps reach the network, where 1e-4 of one is lost in float32's own rounding. Noise levels of
 * σ schedules pass through pow and exp of two libraries; anything else is equal or one unit off. Samples add
 * up the rounding of up to 99 float32 calls and of torch's vectorised log, exp and cos, which need not be
 * the nearest numbers. */
static const double TIMESTEP_TOLERANCE = 1e-4;
static const double SIGMA_TOLERANCE = 3e-7;
static const double SAMPLE_TOLERANCE = 5e-6;

/* One call from recorded inputs: a few float32 operations, and noise of torch's vectorised log and cos. */
static const double STEP_TOLERANCE = 1e-6;

/** Worst errors of one sampler over all rows, printed at the end. */
typedef struct worst {
    const char *name;
    size_t rows, failures;
    double slack; /* of the row at hand */
    double timestep, sigma, sample;
    char row[NAME_BYTES];
} worst;

/** The stand-in for the network: the same float32 operations as the tool's. */
static void network(const float *input, double timestep, float *output) {
    float time = (float)timestep * 0.0005f;
    for (int i = 0; i < ELEMENTS; i++) {
        output[i] = (0.5f * input[i] + 0.0625f * (float)(i % 7 - 3)) - time;
    }
}

/** Where the result of a call stands among the stored ones, or -1: all of a short run, five of a long one. */
static int kept_index(size_t call, size_t calls) {
    const size_t kept[] = {0, 1, calls / 2, calls - 2, calls - 1};
    if (calls <= 8) {
        return (int)call;
    }
    for (int i = 0; i < 5; i++) {
        if (kept[i] == call) {
            return i;
        }
    }
    return -1;
}

static void raise_to(double *largest, double value) {
    *largest = value > *largest ? value : *largest;
}

/** Make the sampler that a row describes. */
static pld_sampler *make_sampler(const pld_json *row, uint64_t *seed) {
    pld_error error = {0};
    pld_sampling_options options = pld_sampling_options_default(0);
    double timesteps[ELEMENTS];
    const char *name = NULL;
    int64_t steps = 0;
    int64_t stored_seed = 0;
    pld_json config;
    pld_scheduler_config stated;
    pld_sampler *sampler = NULL;
    require_ok(pld_json_get_string(row, "sampler", PLD_JSON_REQUIRED, &name, &error), &error);
    require_ok(pld_json_get_integer(row, "steps", PLD_JSON_OPTIONAL, 1, 1000, &steps, &error), &error);
    require_ok(pld_json_get_integer(row, "seed", PLD_JSON_REQUIRED, 0, INT32_MAX, &stored_seed, &error),
               &error);
    require_ok(pld_json_get_number(row, "eta", PLD_JSON_OPTIONAL, &options.eta, &error), &error);
    require_ok(pld_json_get_numbers(row, "timesteps", PLD_JSON_OPTIONAL, ELEMENTS, timesteps,
                                    &options.timesteps_count, &error),
               &error);
    require_ok(pld_json_object(row, "config", PLD_JSON_REQUIRED, &config, &error), &error);
    require_ok(pld_scheduler_config_read(config.value, "cases.json", NULL, &stated, &error), &error);
    options.steps = (size_t)steps;
    options.timesteps = options.timesteps_count ? timesteps : NULL;
    const pld_sampler_kind *kind = pld_sampler_kind_find(name);
    assert_non_null(kind);
    require_ok(pld_sampler_create(kind, &stated, &options, NULL, &sampler, &error), &error);
    pld_scheduler_config_clear(&stated);
    *seed = (uint64_t)stored_seed;
    return sampler;
}

/** Compare timesteps, sigmas and the scale of the first noise. */
static void compare_schedule(const pld_sampler *sampler, const pld_tensor_file *file, const char *name,
                             worst *errors) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    stored_values timesteps = load_values(file, name, "timesteps");
    stored_values sigmas = load_values(file, name, "sigmas");
    stored_values scale = load_values(file, name, "init_noise_sigma");
    if (timesteps.count == schedule->calls + 1 && timesteps.values[schedule->calls] == 0) {
        timesteps.count--; /* SCM's, where no call is */
    }
    if (timesteps.count != schedule->calls || sigmas.count != schedule->sigmas_count) {
        fail_msg("%s: %zu calls and %zu sigmas, expected %zu and %zu", name, schedule->calls,
                 schedule->sigmas_count, timesteps.count, sigmas.count);
    }
    double timestep_error = 0;
    double sigma_error = scale.count ? fabs((double)schedule->init_noise_sigma / scale.values[0] - 1) : 0;
    for (size_t i = 0; i < timesteps.count; i++) {
        raise_to(&timestep_error, fabs(schedule->timesteps[i] - timesteps.values[i]));
    }
    for (size_t i = 0; i < sigmas.count; i++) {
        double expected = sigmas.values[i];
        double difference = fabs((double)schedule->sigmas[i] - expected);
        raise_to(&sigma_error, difference > 0 ? difference / expected : 0);
    }
    double tolerance = SIGMA_TOLERANCE * errors->slack;
    if (!(timestep_error <= TIMESTEP_TOLERANCE) || !(sigma_error <= tolerance)) {
        print_error("%s: timesteps off by %g, sigmas by %g\n", name, timestep_error, sigma_error);
        errors->failures++;
    }
    raise_to(&errors->timestep, timestep_error);
    raise_to(&errors->sigma, sigma_error);
    pld_free(timesteps.values);
    pld_free(sigmas.values);
    pld_free(scale.values);
}

/** Run the sampler and compare the samples that are stored. */
static void compare_run(pld_sampler *sampler, uint64_t seed, const pld_tensor_file *file, const char *name,
                        worst *errors) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    stored_values latents = load_values(file, name, "latents");
    pld_error error = {0};
    float sample[ELEMENTS];
    float input[ELEMENTS];
    float output[ELEMENTS];
    pld_rng rng;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, seed);
    pld_rng_normal(&rng, sample, ELEMENTS);
    for (int i = 0; i < ELEMENTS; i++) {
        sample[i] *= schedule->init_noise_sigma;
    }
    require_ok(pld_sampler_begin(sampler, 0, ELEMENTS, &error), &error);
    for (size_t call = 0; call < schedule->calls; call++) {
        pld_sampler_scale_model_input(sampler, call, sample, input, ELEMENTS);
        network(input, schedule->timesteps[call], output);
        require_ok(pld_sampler_step(sampler, call, output, sample, &rng, sample, &error), &error);
        int kept = kept_index(call, schedule->calls);
        if (kept < 0) {
            continue;
        }
        assert_true(((size_t)kept + 1) * ELEMENTS <= latents.count);
        double found = relative_error(sample, latents.values + kept * ELEMENTS, ELEMENTS);
        if (!(found <= SAMPLE_TOLERANCE * errors->slack)) {
            print_error("%s: call %zu of %zu: relative error %g\n", name, call, schedule->calls, found);
            errors->failures++;
        }
        if (found > errors->sample) {
            errors->sample = found;
            snprintf(errors->row, sizeof errors->row, "%s", name);
        }
    }
    pld_free(latents.values);
}

/** The entry of this sampler in errors[KINDS]. */
static worst *errors_of(worst *errors, const char *name) {
    worst *at = errors;
    while (at->name && strcmp(at->name, name) != 0) {
        at++;
    }
    assert_true(at < errors + KINDS - 1);
    at->name = name;
    return at;
}

/** Print one line a sampler; returns how many comparisons failed. */
static size_t print_errors(const worst *errors) {
    size_t failures = 0;
    for (const worst *at = errors; at->name; at++) {
        failures += at->failures;
        print_message("%-14s %3zu rows  timesteps %.1e  sigmas %.1e  samples %.1e (%s)\n", at->name, at->rows,
                      at->timestep, at->sigma, at->sample, at->row);
    }
    return failures;
}

static void runs_equal_diffusers(void **state) {
    (void)state;
    pld_error error = {0};
    pld_tensor_file *file = NULL;
    json_t *document = NULL;
    worst errors[KINDS] = {0};
    require_ok(pld_tensor_file_open(PLADIS_TEST_DATA "/sampling/cases.safetensors", &file, &error), &error);
    require_ok(pld_json_load(PLADIS_TEST_DATA "/sampling/cases.json", 0, &document, &error), &error);
    const pld_json rows = {.value = document, .file = "cases.json"};
    for (size_t i = 0; i < json_array_size(document); i++) {
        pld_json row;
        const char *name = NULL;
        uint64_t seed = 0;
        pld_json_element(&rows, i, &row);
        require_ok(pld_json_get_string(&row, "name", PLD_JSON_REQUIRED, &name, &error), &error);
        pld_sampler *sampler = make_sampler(&row, &seed);
        worst *mine = errors_of(errors, pld_sampler_kind_of(sampler)->name);
        mine->rows++;
        mine->slack = 1;
        require_ok(pld_json_get_number(&row, "slack", PLD_JSON_OPTIONAL, &mine->slack, &error), &error);
        compare_schedule(sampler, file, name, mine);
        compare_run(sampler, seed, file, name, mine);
        compare_run(sampler, seed, file, name, mine); /* a sampler starts over */
        pld_sampler_destroy(&sampler);
    }
    json_decref(document);
    pld_tensor_file_close(&file);
    assert_int_equal(print_errors(errors), 0);
}

/** What the pipelines of families give their samplers. */
static const struct family {
    const char *model;
    const char *flow_rule;
    bool stable_diffusion_rules;
} families[] = {
    {"sd15", NULL, true},
    {"sd21", NULL, true},
    {"sdxl", NULL, false},
    {"sd35", NULL, false},
    {"pixart", NULL, false},
    {"pixart-alpha", NULL, false},
    {"sana", NULL, false},
    {"sana-sprint", NULL, false},
    {"sana-text", NULL, false},
    {"flux-dev", "flux", false},
    {"flux-schnell", "flux", false},
    {"flux2-dev", "flux2", false},
    {"flux2-klein", "flux2", false},
    {"flux2-klein-base", "flux2", false},
    {"z-image", "z_image", false},
    {"qwen-image", "fractions", false},
    {"anima", "fractions", false},
    {"krea2", "fractions", false},
};

/** Tokens of packed latents [1, tokens, channels]; 0 where they are not packed. */
static size_t image_tokens(const pld_tensor_file *file) {
    const pld_stored_tensor *latents = pld_tensor_file_find(file, "latents.00");
    assert_non_null(latents);
    return latents->rank == 3 ? (size_t)latents->shape[1] : 0;
}

/** The rule of a family's sigmas; Krea 2's distilled models have their own. */
static const pld_flow_rule *flow_rule_of(const struct family *family, const pld_json *top) {
    const bool distilled = json_is_true(json_object_get(top->value, "is_distilled"));
    const char *name = distilled && strcmp(family->model, "krea2") == 0 ? "krea2_turbo" : family->flow_rule;
    const pld_flow_rule *rule = name ? pld_flow_rule_find(name) : NULL;
    assert_true(!name || rule);
    return rule;
}

/** A sampler of a recorded generation's kind: its model's scheduler_config.json, overrides laid over it. */
static pld_sampler *make_recorded_sampler(const char *root, const struct family *family, const pld_json *top,
                                          const pld_tensor_file *file, const pld_sampler_kind *kind) {
    pld_error error = {0};
    const char *model = NULL;
    int64_t steps = 0;
    double timesteps[ELEMENTS];
    pld_json scheduler;
    pld_json overrides;
    pld_scheduler_config stated;
    pld_scheduler_config over;
    pld_sampler *sampler = NULL;
    pld_sampling_options options = pld_sampling_options_default(0);
    require_ok(pld_json_get_string(top, "model", PLD_JSON_REQUIRED, &model, &error), &error);
    require_ok(pld_json_get_integer(top, "steps", PLD_JSON_REQUIRED, 1, 1000, &steps, &error), &error);
    require_ok(pld_json_get_number(top, "eta", PLD_JSON_OPTIONAL, &options.eta, &error), &error);
    require_ok(pld_json_get_numbers(top, "timesteps", PLD_JSON_OPTIONAL, ELEMENTS, timesteps,
                                    &options.timesteps_count, &error),
               &error);
    require_ok(pld_json_object(top, "scheduler", PLD_JSON_REQUIRED, &scheduler, &error), &error);
    require_ok(pld_scheduler_config_load(
                   reference_path(root, "models/%s/scheduler/scheduler_config.json", family->model), NULL,
                   &stated, &error),
               &error);
    require_ok(pld_json_object(&scheduler, "overrides", PLD_JSON_OPTIONAL, &overrides, &error), &error);
    if (overrides.value) {
        require_ok(pld_scheduler_config_read(overrides.value, "overrides", NULL, &over, &error), &error);
        pld_scheduler_config_apply(&stated, &over, UINT64_MAX);
    }
    options.steps = (size_t)steps;
    options.timesteps = options.timesteps_count ? timesteps : NULL;
    options.stable_diffusion_rules = family->stable_diffusion_rules;
    options.flow_rule = flow_rule_of(family, top);
    options.image_tokens = image_tokens(file);
    require_ok(pld_sampler_create(kind, &stated, &options, NULL, &sampler, &error), &error);
    pld_scheduler_config_clear(&stated);
    return sampler;
}

/** The noise that a call is about to draw, by a copy of the generator, against the recorded one. */
static void compare_noise(const pld_rng *rng, const pld_tensor_file *file, size_t call, const char *name) {
    char tensor[32];
    snprintf(tensor, sizeof tensor, "step_noise.%02zu", call);
    stored_values expected = load_values(file, "", tensor);
    pld_rng copy = *rng;
    float *noise = pld_allocate(expected.count, sizeof *noise);
    pld_rng_normal(&copy, noise, expected.count);
    for (size_t i = 0; i < expected.count; i++) {
        if (!(fabs((double)noise[i] - expected.values[i]) <= 1e-6)) { /* torch's vectorised log and cos */
            fail_msg("%s: %s[%zu] is %g, expected %g", name, tensor, i, (double)noise[i], expected.values[i]);
        }
    }
    pld_free(noise);
    pld_free(expected.values);
}

/** Narrow stored values to float. The caller frees the result with pld_free. */
static float *load_floats(const pld_tensor_file *file, const char *format, size_t call, size_t count) {
    char tensor[32];
    snprintf(tensor, sizeof tensor, format, call);
    stored_values stored = load_values(file, "", tensor);
    assert_int_equal(stored.count, count);
    float *values = pld_allocate(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)stored.values[i];
    }
    pld_free(stored.values);
    return values;
}

static void require_close(const char *name, const char *what, const float *found,
                          const stored_values *expected, double tolerance) {
    double off = relative_error(found, expected->values, expected->count);
    if (!(off <= tolerance)) {
        fail_msg("%s: %s: relative error %g", name, what, off);
    }
}

/** The first sample: stored, or the stored unit noise at the sampler's scale. A run that begins at a picture has
 *  both its parts, from which the sampler makes it. */
static float *first_sample(const pld_sampler *sampler, const pld_tensor_file *file, size_t first_call,
                           size_t count, const char *name) {
    const bool scaled = pld_tensor_file_find(file, "latents_first") != NULL;
    float *sample = load_floats(file, scaled ? "latents_first" : "latents_init", 0, count);
    for (size_t i = 0; !scaled && i < count; i++) {
        sample[i] *= pld_sampler_schedule(sampler)->init_noise_sigma;
    }
    if (pld_tensor_file_find(file, "image_latents")) {
        stored_values expected = load_values(file, "", "latents_first");
        float *clean = load_floats(file, "image_latents", 0, count);
        float *noise = load_floats(file, "noise", 0, count);
        pld_sampler_add_noise(sampler, first_call, clean, noise, noise, count);
        require_close(name, "add_noise", noise, &expected, 1e-7);
        pld_free(clean);
        pld_free(noise);
        pld_free(expected.values);
    }
    return sample;
}

/** Where a network's output is no prediction yet (SCM): what becomes of the stored output of the first call. */
static void compare_conversion(const pld_sampler *sampler, const pld_tensor_file *file, const float *sample,
                               size_t count, const char *name) {
    if (strcmp(pld_sampler_kind_of(sampler)->name, "scm") != 0) {
        return;
    }
    stored_values expected = load_values(file, "", "noise_pred.00");
    float *output = load_floats(file, "model_out.00", 0, count);
    float *input = pld_allocate(count, sizeof *input);
    pld_sampler_scale_model_input(sampler, 0, sample, input, count);
    pld_sampler_convert_output(sampler, 0, input, output, output, count);
    require_close(name, "noise_pred.00", output, &expected, STEP_TOLERANCE);
    pld_free(expected.values);
    pld_free(output);
    pld_free(input);
}

/** Feed every call what was recorded before it and compare what it returns. */
static void compare_recorded_calls(pld_sampler *sampler, const pld_tensor_file *file, uint64_t seed,
                                   size_t first_call, const char *name, worst *errors) {
    pld_error error = {0};
    pld_rng rng;
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    stored_values last = load_values(file, "", "latents");
    size_t count = last.count;
    float *sample = first_sample(sampler, file, first_call, count, name);
    float *next = pld_allocate(count, sizeof *next);
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, seed);
    pld_rng_normal(&rng, next, count); /* the generator's first draw */
    compare_conversion(sampler, file, sample, count, name);
    require_ok(pld_sampler_begin(sampler, first_call, count, &error), &error);
    for (size_t call = first_call; call < schedule->calls; call++) {
        float *noise_pred = load_floats(file, "noise_pred.%02zu", call - first_call, count);
        char tensor[32];
        snprintf(tensor, sizeof tensor, "latents.%02zu", call - first_call);
        stored_values expected = load_values(file, "", tensor);
        compare_noise(&rng, file, call, name);
        require_ok(pld_sampler_step(sampler, call, noise_pred, sample, &rng, next, &error), &error);
        double found = relative_error(next, expected.values, count);
        if (!(found <= STEP_TOLERANCE)) {
            print_error("%s: call %zu: relative error %g\n", name, call, found);
            errors->failures++;
        }
        if (found > errors->sample) {
            errors->sample = found;
            snprintf(errors->row, sizeof errors->row, "%s", name);
        }
        for (size_t i = 0; i < count; i++) {
            sample[i] = (float)expected.values[i];
        }
        pld_free(noise_pred);
        pld_free(expected.values);
    }
    if (strcmp(pld_sampler_kind_of(sampler)->name, "scm") == 0) {
        pld_sampler_finish(sampler, sample, sample, count);
        require_close(name, "latents", sample, &last, STEP_TOLERANCE);
    }
    pld_free(last.values);
    pld_free(sample);
    pld_free(next);
}

/** A family and what its cases were found to be. */
typedef struct {
    const struct family *family;
    worst *errors;
} recorded;

/** One recorded generation. */
static void compare_recorded_case(const reference_found *found, void *user) {
    recorded *of = user;
    const char *name = found->name;
    const json_t *info = found->info;
    pld_error error = {0};
    pld_json top;
    int64_t seed = 0;
    int64_t first_step = 0;
    pld_tensor_file *file = NULL;
    const pld_sampler_kind *kind = pld_sampler_kind_find(reference_sampler(info));
    if (!kind) {
        reference_pass_over(found->root, name, "this program has no such sampler");
        return;
    }
    require_ok(pld_json_top(info, "case.json", &top, &error), &error);
    require_ok(pld_json_get_integer(&top, "seed", PLD_JSON_REQUIRED, 0, INT64_MAX, &seed, &error), &error);
    require_ok(pld_json_get_integer(&top, "first_step", PLD_JSON_OPTIONAL, 0, 1000, &first_step, &error),
               &error);
    require_ok(pld_tensor_file_open(reference_path(found->root, "cases/%s/tensors.safetensors", name), &file,
                                    &error),
               &error);
    pld_sampler *sampler = make_recorded_sampler(found->root, of->family, &top, file, kind);
    worst *mine = errors_of(of->errors, kind->name);
    mine->rows++;
    mine->slack = 1;
    compare_schedule(sampler, file, "", mine);
    compare_recorded_calls(sampler, file, (uint64_t)seed, (size_t)first_step, name, mine);
    pld_sampler_destroy(&sampler);
    pld_tensor_file_close(&file);
}

/** All generations of every family below `root`, or with NULL where reference_each finds them; returns how many. */
static int follow_all(const char *root) {
    worst errors[KINDS] = {0};
    int cases = 0;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        recorded of = {.family = &families[i], .errors = errors};
        const char *model = families[i].model;
        cases += root ? reference_each_below(root, "generation", model, compare_recorded_case, &of)
                      : reference_each("generation", model, compare_recorded_case, &of);
    }
    print_message("%d generations below %s\n", cases, root ? root : reference_tree());
    assert_int_equal(print_errors(errors), 0);
    return cases;
}

static void recorded_generations_are_followed(void **state) {
    (void)state;
    assert_true(follow_all(NULL) > 0);
}

/** Generations of families whose pictures this tree does not make yet, kept apart from those that it does. */
static void recorded_flows_are_followed(void **state) {
    (void)state;
    assert_int_equal(follow_all(PLADIS_TEST_DATA "/sampling/generations"), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_equal_diffusers),
        cmocka_unit_test(recorded_generations_are_followed),
        cmocka_unit_test(recorded_flows_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
