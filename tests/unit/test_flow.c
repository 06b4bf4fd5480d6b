/* SPDX-License-Identifier: Apache-2.0 */
/* Samplers of flow models against diffusers' schedulers: arrays and short runs by the entries of a flow.json
 * (tools/reference/flow_cases.py computes them), and what a family and a person can ask of a schedule. */
#include "sampling/flow_rule.h"
#include "sampling/sampler.h"
#include "sampling_data.h"

enum { MAX_VALUES = 1100 };

/* Arrays are float32 after a few operations of float32 or float64, which leaves a unit or two; timesteps are a
 * thousand times larger. Karras' and the like pass through pow and exp of two libraries. Samples are sums of
 * up to 16 float32 steps. The model of a run is evaluated in float32, too. */
static const double ARRAY_TOLERANCE = 3e-7;
static const double SAMPLE_TOLERANCE = 3e-6;

static pld_error error;
static char notices[2048];

static void keep_notice(void *user, pld_log_level level, const char *message) {
    (void)user;
    (void)level;
    snprintf(notices + strlen(notices), sizeof notices - strlen(notices), "%s\n", message);
}

static const pld_log keeping = {keep_notice, NULL};

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
static size_t compare_run(pld_sampler *sampler, const pld_json *entry, const double model[2], const char *name,
                          double *worst) {
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
    print_message("%zu entries: arrays off by %.1e, samples by %.1e\n", json_array_size(entries.value), largest,
                  worst);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_equal_diffusers),
    };
    (void)keeping;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
