/* SPDX-License-Identifier: Apache-2.0 */
/* Samplers of flow models against diffusers' schedulers: arrays and short runs by the entries of a flow.json
 * (tools/reference/flow_cases.py computes them), and what a family and a person can ask of a schedule. */
#include "sampling/sampler.h"
#include "sampling/schedules/flow_rule.h"
#include "sampling_data.h"

enum { MAX_VALUES = 1100 };

/* Arrays are float32 after a few operations of float32 or float64, which leaves a unit or two; timesteps are
 * a thousand times larger. Karras' and the like pass through pow and exp of two libraries. Samples are sums
 * of up to 16 float32 steps. The model of a run is evaluated in float32, too. */
static const double ARRAY_TOLERANCE = 3e-7;
static const double SAMPLE_TOLERANCE = 3e-6;

static pld_error error;
static char notices[2048];

static void keep_notice(void *user, pld_log_level level, const char *message) {
    (void)user;
    (void)level;
    snprintf(notices + strlen(notices), sizeof notices - strlen(notices), "%s\n", message);
}

static const pld_log keeping = {keep_notice, NULL, PLD_LOG_DETAIL};

/** An array of an entry; returns how many numbers. Absent or null: 0. */
static size_t numbers(const pld_json *entry, const char *name, double *values) {
    size_t count = 0;
    if (json_is_array(json_object_get(entry->value, name))) {
        require_ok(pld_json_get_numbers(entry, name, PLD_JSON_REQUIRED, MAX_VALUES, values, &count, &error),
                   &error);
    }
    return count;
}

static double number(const json_t *object, const char *name, double otherwise) {
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static const char *text(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

/** A line down to 0, for entries that set the scheduler's sigma_min to 0. */
static void place_to_zero(size_t steps, double *sigmas) {
    for (size_t i = 0; i < steps; i++) {
        sigmas[i] = steps > 1 ? 1 - (double)i / (double)(steps - 1) : 1;
    }
}

static const pld_flow_rule to_zero = {.name = "to_zero", .place = place_to_zero};

/** A run of a sampler whose largest timestep SCM is told, in two angles. */
static size_t angles(const json_t *call, double *values) {
    values[0] = number(call, "max_timesteps", 0);
    values[1] = number(call, "intermediate_timesteps", 0);
    return values[0] > 0 ? 2 : 0;
}

/** The sampler of an entry. */
static pld_sampler *make_sampler(const pld_json *entry) {
    const json_t *object = entry->value;
    const json_t *config = json_object_get(object, "config");
    const json_t *call = json_object_get(object, "call");
    const pld_json calls = {.value = (json_t *)call, .file = "flow.json"};
    double sigmas[MAX_VALUES];
    double timesteps[MAX_VALUES];
    pld_scheduler_config stated;
    pld_sampler *sampler = NULL;
    const pld_sampler_kind *kind = NULL;
    pld_sampling_options options = pld_sampling_options_default(0);
    require_ok(pld_scheduler_config_read(config, "flow.json", NULL, &stated, &error), &error);
    require_ok(pld_sampler_kind_for_class(text(object, "class"), &stated, &kind, &error), &error);
    snprintf(stated.class_name, sizeof stated.class_name, "%s", text(object, "class"));
    if (call) {
        options.sigmas_count = numbers(&calls, "sigmas", sigmas);
        options.timesteps_count = numbers(&calls, "timesteps", timesteps);
        options.timesteps_count = options.timesteps_count ? options.timesteps_count : angles(call, timesteps);
    }
    options.sigmas = options.sigmas_count ? sigmas : NULL;
    options.timesteps = options.timesteps_count ? timesteps : NULL;
    options.steps = (size_t)number(object, "steps", 0);
    if (json_object_get(object, "rule")) {
        options.sigmas = NULL;
        options.flow_rule = pld_flow_rule_find(text(object, "rule"));
        options.image_tokens = (size_t)number(object, "image_tokens", 0);
        assert_non_null(options.flow_rule);
    } else if (json_is_true(json_object_get(config, "use_dynamic_shifting"))) {
        double mu = number(call, "mu", 0);
        options.shift = strcmp(text(config, "time_shift_type"), "linear") == 0 ? mu : exp(mu);
    }
    if (number(json_object_get(object, "set"), "sigma_min", 1) == 0) {
        options.flow_rule = &to_zero;
    }
    if (json_object_get(object, "training_levels")) {
        options.flow_rule = pld_flow_rule_find("flux");
    }
    if (json_object_get(object, "scheduler")) {
        options.schedule = pld_sigma_schedule_find(text(object, "scheduler"));
        assert_non_null(options.schedule);
    }
    require_ok(pld_sampler_create(kind, &stated, &options, NULL, &sampler, &error), &error);
    pld_scheduler_config_clear(&stated);
    return sampler;
}

static double largest; /* error of an array in units of its tolerance */

/** Elementwise relative comparison; returns whether all are within the tolerance. */
static bool within(const char *name, const char *what, const double *expected, double found, size_t i,
                   double tolerance) {
    double off = fabs(found - expected[i]);
    double relative = off > 0 ? off / fabs(expected[i]) : 0;
    largest = relative > largest ? relative : largest;
    if (!(relative <= tolerance)) {
        print_error("%s: %s[%zu] is %.9g, expected %.9g\n", name, what, i, found, expected[i]);
        return false;
    }
    return true;
}

/** Timesteps and sigmas of an entry. SCM's timesteps hold the 0 at the end, which no call has. */
static size_t compare_arrays(const pld_sampler *sampler, const pld_json *entry, const char *name) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    double expected[MAX_VALUES];
    size_t failures = 0;
    size_t count = numbers(entry, "timesteps", expected);
    bool angles_end = strcmp(pld_sampler_kind_of(sampler)->name, "scm") == 0;
    if (count != schedule->calls + angles_end) {
        fail_msg("%s: %zu calls, expected %zu", name, schedule->calls, count - angles_end);
    }
    for (size_t i = 0; i < schedule->calls; i++) {
        failures += !within(name, "timesteps", expected, schedule->timesteps[i], i, ARRAY_TOLERANCE);
    }
    assert_int_equal(numbers(entry, "sigmas", expected), schedule->sigmas_count);
    for (size_t i = 0; i < schedule->sigmas_count; i++) {
        failures += !within(name, "sigmas", expected, (double)schedule->sigmas[i], i, ARRAY_TOLERANCE);
    }
    return failures;
}

/** The stand-in for the network: v = a·x + b·t/1000, SCM's a·x + b·t. */
static void network(const double model[2], double time, const float *x, float *output, size_t count) {
    for (size_t i = 0; i < count; i++) {
        output[i] = (float)model[0] * x[i] + (float)model[1] * (float)time;
    }
}

/** Run the sampler from the stored sample and compare the result of each call. */
static size_t compare_run(pld_sampler *sampler, const pld_json *entry, const double model[2],
                          const char *name, double *worst) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    double values[MAX_VALUES];
    float sample[MAX_VALUES];
    float output[MAX_VALUES];
    size_t failures = 0;
    pld_rng rng;
    pld_json samples;
    const size_t count = numbers(entry, "sample", values);
    const bool scm = strcmp(pld_sampler_kind_of(sampler)->name, "scm") == 0;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, (uint64_t)number(entry->value, "seed", 0));
    pld_rng_normal(&rng, sample, count); /* the generator's first draw, which the stored sample comes from */
    for (size_t i = 0; i < count; i++) {
        assert_true(fabsf(sample[i] * schedule->init_noise_sigma - (float)values[i]) <= 1e-6f);
        sample[i] = (float)values[i];
    }
    require_ok(pld_json_array(entry, "samples", PLD_JSON_REQUIRED, &samples, &error), &error);
    assert_int_equal(json_array_size(samples.value), schedule->calls);
    require_ok(pld_sampler_begin(sampler, 0, count, &error), &error);
    for (size_t call = 0; call < schedule->calls; call++) {
        const json_t *row = json_array_get(samples.value, call);
        network(model, schedule->timesteps[call] / (scm ? 1 : 1000), sample, output, count);
        require_ok(pld_sampler_step(sampler, call, output, sample, &rng, sample, &error), &error);
        for (size_t i = 0; i < count; i++) {
            values[i] = json_number_value(json_array_get(row, i));
        }
        double found = relative_error(sample, values, count);
        *worst = found > *worst ? found : *worst;
        if (!(found <= SAMPLE_TOLERANCE)) {
            print_error("%s: call %zu: relative error %g\n", name, call, found);
            failures++;
        }
    }
    return failures;
}

/** All entries of a file. */
static void compare_file(const char *path) {
    json_t *document = NULL;
    pld_json top;
    pld_json entries;
    double model[2];
    double worst = 0;
    size_t failures = 0;
    largest = 0;
    require_ok(pld_json_load(path, 0, &document, &error), &error);
    require_ok(pld_json_top(document, path, &top, &error), &error);
    require_ok(pld_json_array(&top, "entries", PLD_JSON_REQUIRED, &entries, &error), &error);
    model[0] = number(document, "a", 0);
    model[1] = number(document, "b", 0);
    for (size_t i = 0; i < json_array_size(entries.value); i++) {
        pld_json entry;
        pld_json_element(&entries, i, &entry);
        const char *name = text(entry.value, "name");
        pld_sampler *sampler = make_sampler(&entry);
        failures += compare_arrays(sampler, &entry, name);
        if (json_object_get(entry.value, "samples")) {
            failures += compare_run(sampler, &entry, model, name, &worst);
        }
        pld_sampler_destroy(&sampler);
    }
    print_message("%zu entries: arrays off by %.1e, samples by %.1e\n", json_array_size(entries.value),
                  largest, worst);
    json_decref(document);
    assert_int_equal(failures, 0);
}

static void entries_equal_diffusers(void **state) {
    (void)state;
    compare_file(PLADIS_TEST_DATA "/sampling/flow.json");
    const char *root = getenv("PLADIS_REFERENCE_CASES");
    if (root && *root) {
        char path[512];
        snprintf(path, sizeof path, "%s/schedulers/flow.json", root);
        compare_file(path);
    }
}

/** Make a sampler from JSON text in which ' stands for ". */
static pld_status make(const char *name, const char *config, const pld_sampling_options *options,
                       pld_sampler **sampler) {
    char json[1024];
    pld_scheduler_config stated;
    snprintf(json, sizeof json, "%s", config);
    for (char *c = json; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    notices[0] = 0;
    require_ok(pld_scheduler_config_parse(json, strlen(json), "test.json", &keeping, &stated, &error),
               &error);
    pld_status status =
        pld_sampler_create(pld_sampler_kind_find(name), &stated, options, &keeping, sampler, &error);
    pld_scheduler_config_clear(&stated);
    assert_true((status == PLD_OK) == (*sampler != NULL));
    return status;
}

static void refused(const char *name, const char *config, const pld_sampling_options *options,
                    pld_status expected, const char *words) {
    pld_sampler *sampler = NULL;
    pld_status status = make(name, config, options, &sampler);
    if (status != expected || !strstr(error.message, words)) {
        fail_msg("%s %s: %s: '%s' lacks '%s'", name, config, pld_status_text(status), error.message, words);
    }
}

static const char flux[] = "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'shift': 3, 'base_shift': 0.5,"
                           "'max_shift': 1.15, 'base_image_seq_len': 256, 'max_image_seq_len': 4096,"
                           "'use_dynamic_shifting': true}";
static const char static_shift[] = "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'shift': 3}";
static const char sana[] = "{'_class_name': 'DPMSolverMultistepScheduler', 'flow_shift': 3,"
                           "'use_flow_sigmas': true, 'prediction_type': 'flow_prediction'}";
static const char sprint[] = "{'_class_name': 'SCMScheduler', 'prediction_type': 'trigflow'}";
static const char diffusion[] = "{'_class_name': 'DDIMScheduler', 'prediction_type': 'v_prediction'}";

/** A name means what does it for the model at hand; what cannot is refused by name with those that can. */
static void names_mean_what_fits_the_model(void **state) {
    (void)state;
    static const struct {
        const char *name, *config, *class_name;
        bool flow;
    } cases[] = {
        {"euler", static_shift, "FlowMatchEulerDiscreteScheduler", true},
        {"heun", static_shift, "FlowMatchHeunDiscreteScheduler", true},
        {"lcm", static_shift, "FlowMatchLCMScheduler", true},
        {"dpm++2m", static_shift, "DPMSolverMultistepScheduler", true},
        {"unipc", static_shift, "UniPCMultistepScheduler", true},
        {"euler", sana, "FlowMatchEulerDiscreteScheduler", true},
        {"dpm++2m", sana, "DPMSolverMultistepScheduler", true},
        {"euler", "{'prediction_type': 'flow_prediction'}", "FlowMatchEulerDiscreteScheduler", true},
        {"dpm++2m_sde", "{'prediction_type': 'flow_prediction'}", "DPMSolverMultistepScheduler", true},
        {"euler", diffusion, "EulerDiscreteScheduler", false},
        {"unipc", diffusion, "UniPCMultistepScheduler", false},
        {"scm", sprint, "SCMScheduler", false},
    };
    const pld_sampling_options four = pld_sampling_options_default(4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pld_sampler *sampler = NULL;
        require_ok(make(cases[i].name, cases[i].config, &four, &sampler), &error);
        const pld_scheduler_config *config = pld_sampler_config(sampler);
        assert_string_equal(config->class_name, cases[i].class_name);
        assert_string_equal(pld_sampler_kind_of(sampler)->name, cases[i].name);
        assert_int_equal(config->prediction_type == PLD_PREDICT_FLOW, cases[i].flow);
        pld_sampler_destroy(&sampler);
    }
    static const char *const others[] = {"ddim", "ddim_trailing", "pndm", "euler_a", "tcd"};
    const pld_status no = PLD_ERROR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        refused(others[i], static_shift, &four, no, "euler, heun, dpm++2m, dpm++2m_sde, unipc, lcm");
        refused(others[i], static_shift, &four, no, "does not support flow models");
    }
    refused("euler", sprint, &four, no, "use sampler scm");
    refused("scm", static_shift, &four, no, "SCMScheduler (SANA-Sprint)");
    refused("scm", diffusion, &four, no, "choose another sampler");
    refused("euler", "{'use_flow_sigmas': true, 'prediction_type': 'epsilon'}", &four, no,
            "dpm++2m or unipc");
}

/** What a person says of the prediction goes over the file. */
static void prediction_can_be_asked_for(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    const pld_prediction asked = PLD_PREDICT_FLOW;
    const pld_prediction epsilon = PLD_PREDICT_EPSILON;
    pld_sampling_options options = pld_sampling_options_default(4);
    options.prediction = &asked;
    options.shift = 3;
    require_ok(make("euler", diffusion, &options, &sampler), &error);
    assert_true(fabsf(pld_sampler_schedule(sampler)->sigmas[1] - 0.857692301f) < 1e-6f);
    pld_sampler_destroy(&sampler);
    refused("ddim", diffusion, &options, PLD_ERROR_UNSUPPORTED, "use one of euler");
    options.prediction = &epsilon;
    require_ok(make("euler", static_shift, &options, &sampler), &error); /* now a model of ε */
    assert_string_equal(pld_sampler_config(sampler)->class_name, "EulerDiscreteScheduler");
    assert_non_null(strstr(notices, "shift"));
    pld_sampler_destroy(&sampler);
    pld_scheduler_config stated = {0};
    const pld_sampler_kind *own =
        pld_sampler_kind_find("euler")->flow; /* the model's, not named by a person */
    assert_int_equal(pld_sampler_create(own, &stated, &options, NULL, &sampler, &error),
                     PLD_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "use prediction flow"));
}

/** σ of the second of four steps in force. */
static float second_sigma(const char *name, const char *config, const pld_sampling_options *options) {
    pld_sampler *sampler = NULL;
    require_ok(make(name, config, options, &sampler), &error);
    float sigma = pld_sampler_schedule(sampler)->sigmas[1];
    pld_sampler_destroy(&sampler);
    return sigma;
}

static float shifted(double s, double sigma) {
    return (float)(s * sigma / (1 + (s - 1) * sigma));
}

/** A shift that is asked for goes over the static and the dynamic one, and classes hand theirs on. */
static void shifts_come_from_where_they_are_stated(void **state) {
    (void)state;
    pld_sampling_options options = pld_sampling_options_default(4);
    options.flow_rule = pld_flow_rule_find("fractions");
    assert_true(fabsf(second_sigma("euler", sana, &options) - shifted(3, 0.75)) < 1e-6f);
    assert_true(fabsf(second_sigma("dpm++2m", static_shift, &options) -
                      second_sigma("dpm++2m", sana, &options)) < 1e-7f);
    refused("euler", flux, &options, PLD_ERROR_ARGUMENT,
            "the number of image tokens is not known; give a shift");
    options.image_tokens = 4096;
    assert_true(fabsf(second_sigma("euler", flux, &options) - shifted(exp(1.15), 0.75)) < 1e-6f);
    assert_true(fabsf(second_sigma("heun", flux, &options) - shifted(exp(1.15), 0.75)) < 1e-6f);
    assert_true(fabsf(second_sigma("unipc", flux, &options) - shifted(exp(1.15), 0.75025)) < 1e-6f);
    options.image_tokens = 256;
    assert_true(fabsf(second_sigma("euler", flux, &options) - shifted(exp(0.5), 0.75)) < 1e-6f);
    options.shift = 2;
    options.image_tokens = 0;
    assert_true(fabsf(second_sigma("euler", flux, &options) - shifted(2, 0.75)) < 1e-6f);
    assert_true(fabsf(second_sigma("euler", static_shift, &options) - shifted(2, 0.75)) < 1e-6f);
    assert_true(fabsf(second_sigma("euler", sana, &options) - shifted(2, 0.75)) < 1e-6f);
    options.shift = 1e7;
    refused("euler", flux, &options, PLD_ERROR_ARGUMENT, "shift 1e+07");
    options.shift = NAN;
    options.image_tokens = 1024;
    refused("euler",
            "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'use_dynamic_shifting': true,"
            "'base_image_seq_len': 512, 'max_image_seq_len': 512}",
            &options, PLD_ERROR_FORMAT, "both 512");
    refused("euler",
            "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'use_dynamic_shifting': true,"
            "'time_shift_type': 'linear', 'base_shift': -1, 'max_shift': -2}",
            &options, PLD_ERROR_FORMAT, "give a shift");
}

static void lists_are_checked(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    pld_sampling_options options = pld_sampling_options_default(0);
    options.sigmas = (const double[]){1, 0.75, 0.2};
    options.sigmas_count = 3;
    require_ok(make("unipc", static_shift, &options, &sampler), &error);
    assert_int_equal(pld_sampler_schedule(sampler)->steps, 3);
    pld_sampler_destroy(&sampler);
    const pld_status no = PLD_ERROR_ARGUMENT;
    refused("dpm++2m", static_shift, &options, no, "euler, heun, lcm and unipc can");
    options.sigmas = (const double[]){1, 0.2, 0.2};
    refused("euler", static_shift, &options, no, "noise level 0.2 at place 2");
    options.sigmas = (const double[]){1.5, 0.2, 0.1};
    refused("euler", static_shift, &options, no, "noise level 1.5 at place 0");
    options.sigmas = NULL;
    options.timesteps = (const double[]){1000, 512.5};
    options.timesteps_count = 2;
    require_ok(make("heun", static_shift, &options, &sampler), &error);
    assert_true(pld_sampler_schedule(sampler)->timesteps[1] == 512.5);
    pld_sampler_destroy(&sampler);
    refused("dpm++2m", static_shift, &options, no, "for a flow model; euler, heun and lcm can");
    options.schedule = pld_sigma_schedule_find("simple");
    refused("euler", static_shift, &options, no, "scheduler 'simple' cannot be used together");
    options.timesteps = (const double[]){1001, 1};
    options.schedule = NULL;
    refused("euler", static_shift, &options, no, "a number from 0 to 1000");
}

/** The prediction that would be right at a level: x0 is the clean sample and ε what else there is. */
static float right_prediction(pld_prediction prediction, pld_sample_level level, float x, float x0) {
    float norm = hypotf(level.alpha, level.sigma);
    float epsilon = (x - level.alpha * x0) / level.sigma;
    switch (prediction) {
    case PLD_PREDICT_EPSILON:
        return epsilon;
    case PLD_PREDICT_V:
        return (level.alpha * epsilon - level.sigma * x0) / norm;
    case PLD_PREDICT_FLOW:
        return epsilon - x0;
    case PLD_PREDICT_TRIGFLOW: /* at the scale of the sample, σ_data = 0.5 */
        return level.alpha * epsilon - level.sigma * x0;
    case PLD_PREDICT_SAMPLE:
        break;
    }
    return x0;
}

enum { ELEMENTS = 64 };

/** From a picture with the noise of `first_call` on, right predictions lead back to the picture, and every
 * call knows x0: the sampler's level is that of its samples. */
static void lead_back(pld_sampler *sampler, size_t first_step, double tolerance, const char *name) {
    const pld_schedule *schedule = pld_sampler_schedule(sampler);
    const pld_prediction prediction = pld_sampler_config(sampler)->prediction_type;
    double clean[ELEMENTS];
    float picture[ELEMENTS];
    float sample[ELEMENTS];
    float noise_pred[ELEMENTS];
    float x0[ELEMENTS];
    size_t first_call = 0;
    pld_rng rng;
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 3);
    pld_rng_normal(&rng, picture, ELEMENTS);
    pld_rng_normal(&rng, sample, ELEMENTS);
    for (int i = 0; i < ELEMENTS; i++) {
        clean[i] = (double)picture[i];
    }
    require_ok(pld_sampler_call_of_step(sampler, first_step, &first_call, &error), &error);
    pld_sampler_add_noise(sampler, first_call, picture, sample, sample, ELEMENTS);
    require_ok(pld_sampler_begin(sampler, first_call, ELEMENTS, &error), &error);
    for (size_t call = first_call; call < schedule->calls; call++) {
        const pld_sample_level level = pld_sampler_level(sampler, call);
        for (int i = 0; i < ELEMENTS; i++) {
            noise_pred[i] = right_prediction(prediction, level, sample[i], picture[i]);
        }
        pld_sampler_predict_x0(sampler, call, noise_pred, sample, x0, ELEMENTS);
        if (!(relative_error(x0, clean, ELEMENTS) <= tolerance)) {
            fail_msg("%s: call %zu: x0 is off by %g", name, call, relative_error(x0, clean, ELEMENTS));
        }
        require_ok(pld_sampler_step(sampler, call, noise_pred, sample, &rng, sample, &error), &error);
    }
    pld_sampler_finish(sampler, sample, sample, ELEMENTS);
    if (!(relative_error(sample, clean, ELEMENTS) <= tolerance)) {
        fail_msg("%s from step %zu: off by %g", name, first_step, relative_error(sample, clean, ELEMENTS));
    }
}

/** Every sampler, on every kind of model that it takes, from noise and from within. */
static void levels_are_those_of_the_samples(void **state) {
    (void)state;
    static const char *const predictions[] = {"epsilon", "v_prediction", "sample", "flow_prediction",
                                              "trigflow"};
    const pld_sampling_options five = pld_sampling_options_default(5);
    size_t made = 0;
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        for (size_t i = 0; i < sizeof predictions / sizeof *predictions; i++) {
            char config[256];
            char name[64];
            pld_sampler *sampler = NULL;
            snprintf(
                config, sizeof config,
                "{'prediction_type': '%s', 'beta_start': 0.00085, 'beta_end': 0.012, 'clip_sample': false,"
                "'set_alpha_to_one': true, 'skip_prk_steps': true}",
                predictions[i]);
            if (make((*kind)->name, config, &five, &sampler) == PLD_OK) {
                snprintf(name, sizeof name, "%s of %s", (*kind)->name, predictions[i]);
                /* pndm averages outputs, which are alike for ε alone; begun within, diffusers' is a level
                 * late */
                const bool pndm = strcmp((*kind)->name, "pndm") == 0;
                const double tolerance =
                    strcmp((*kind)->name, "tcd") == 0 ? 4e-2 : 2e-3; /* ends at timestep 0 */
                if (!pndm || i == 0) {
                    lead_back(sampler, 0, tolerance, name);
                }
                if (!pndm) {
                    lead_back(sampler, 2, tolerance, name);
                }
                made++;
            }
            pld_sampler_destroy(&sampler);
        }
    }
    assert_int_equal(made, 11 * 3 - 2 /* pndm and euler_a of x0 */ + 6 /* flow */ + 1 /* scm */);
}

static void levels_have_their_formulas(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    const pld_sampling_options four = pld_sampling_options_default(4);
    require_ok(make("euler", static_shift, &four, &sampler), &error);
    pld_sample_level level = pld_sampler_level(sampler, 1);
    float sigma = pld_sampler_schedule(sampler)->sigmas[1];
    assert_true(level.alpha == 1 - sigma && level.sigma == sigma);
    pld_sampler_destroy(&sampler);
    require_ok(make("euler",
                    "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'shift': 3, 'invert_sigmas': true}",
                    &four, &sampler),
               &error);
    level = pld_sampler_level(sampler, 1);
    assert_true(fabsf(level.alpha - (1 - sigma)) < 1e-7f && fabsf(level.sigma - sigma) < 1e-7f);
    pld_sampler_destroy(&sampler);
    require_ok(make("scm", sprint, &four, &sampler), &error);
    level = pld_sampler_level(sampler, 2);
    assert_true(fabsf(level.alpha - 0.5f * cosf(0.7854f)) < 1e-6f &&
                fabsf(level.sigma - 0.5f * sinf(0.7854f)) < 1e-6f);
    assert_true(fabs(pld_sampler_network_timestep(sampler, 2) - 0.5) < 1e-5);
    pld_sampler_destroy(&sampler);
    require_ok(make("euler", diffusion, &four, &sampler), &error);
    level = pld_sampler_level(sampler, 0);
    assert_true(level.alpha == 1 && level.sigma == pld_sampler_schedule(sampler)->sigmas[0]);
    pld_sampler_destroy(&sampler);
}

/** Schedules work with every sampler of a flow; what a range cannot do is said. */
static void schedules_work_on_flows(void **state) {
    (void)state;
    static const char *const names[] = {"euler", "heun", "dpm++2m", "dpm++2m_sde", "unipc", "lcm"};
    pld_sampling_options options = pld_sampling_options_default(7);
    options.image_tokens = 4096;
    options.flow_rule = pld_flow_rule_find("flux");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (const pld_sigma_schedule *const *row = pld_sigma_schedules(); *row; row++) {
            pld_sampler *sampler = NULL;
            options.schedule = *row;
            require_ok(make(names[i], flux, &options, &sampler), &error);
            const pld_schedule *schedule = pld_sampler_schedule(sampler);
            assert_int_equal(schedule->steps, 7);
            for (size_t k = 0; k < schedule->calls; k++) {
                assert_true(schedule->sigmas[k] > 0 && schedule->sigmas[k] <= 1);
                assert_true(!k || schedule->sigmas[k] <= schedule->sigmas[k - 1]);
                assert_true(pld_sampler_step_of_call(sampler, k) < schedule->steps);
            }
            lead_back(sampler, 0, 1e-3, names[i]);
            pld_sampler_destroy(&sampler);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_equal_diffusers),
        cmocka_unit_test(names_mean_what_fits_the_model),
        cmocka_unit_test(prediction_can_be_asked_for),
        cmocka_unit_test(shifts_come_from_where_they_are_stated),
        cmocka_unit_test(lists_are_checked),
        cmocka_unit_test(levels_are_those_of_the_samples),
        cmocka_unit_test(levels_have_their_formulas),
        cmocka_unit_test(schedules_work_on_flows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
