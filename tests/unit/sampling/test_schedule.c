/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler configuration, and what leads from it to a schedule. */
#include "sampling/sampler.h"
#include "sampling/schedules/beta_distribution.h"
#include "sampling_data.h"

static pld_error error;
static char notices[4096];

static void keep_notice(void *user, pld_log_level level, const char *message) {
    (void)user;
    (void)level;
    snprintf(notices + strlen(notices), sizeof notices - strlen(notices), "%s\n", message);
}

static const pld_log keeping = {keep_notice, NULL, PLD_LOG_DETAIL};

/** Read a configuration from JSON text in which ' stands for ". */
static pld_status read_text(const char *text, pld_scheduler_config *stated) {
    char json[4096];
    json_t *document = NULL;
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    notices[0] = 0;
    require_ok(pld_json_parse(json, strlen(json), "test.json", &document, &error), &error);
    pld_status status = pld_scheduler_config_read(document, "test.json", &keeping, stated, &error);
    json_decref(document);
    return status;
}

/** Read a configuration and make a sampler of it. */
static pld_status make(const char *name, const char *text, const pld_sampling_options *options,
                       pld_sampler **sampler) {
    pld_scheduler_config stated;
    require_ok(read_text(text, &stated), &error);
    pld_status status =
        pld_sampler_create(pld_sampler_kind_find(name), &stated, options, &keeping, sampler, &error);
    pld_scheduler_config_clear(&stated);
    assert_true((status == PLD_OK) == (*sampler != NULL));
    return status;
}

/** A configuration that cannot be read: its status, and words that the message has. */
static void unreadable(const char *text, pld_status expected, const char *words) {
    pld_scheduler_config stated;
    pld_status status = read_text(text, &stated);
    if (status != expected || !strstr(error.message, words) || !strstr(error.message, "test.json")) {
        fail_msg("%s: %s: '%s' lacks '%s'", text, pld_status_text(status), error.message, words);
    }
}

/** A sampler that cannot be made. */
static void impossible(const char *name, const char *text, pld_sampling_options options, pld_status expected,
                       const char *words) {
    pld_sampler *sampler = NULL;
    pld_status status = make(name, text, &options, &sampler);
    if (status != expected || !strstr(error.message, words)) {
        fail_msg("%s %s: %s: '%s' lacks '%s'", name, text, pld_status_text(status), error.message, words);
    }
}

static void fields_are_read(void **state) {
    (void)state;
    pld_scheduler_config c;
    require_ok(
        read_text("{'_class_name': 'DDIMScheduler', '_diffusers_version': '0.6.0', 'beta_start': 0.001,"
                  "'num_train_timesteps': 3, 'trained_betas': [0.1, 0.2, 0.3], 'clip_sample': false,"
                  "'beta_schedule': 'scaled_linear', 'disable_corrector': [0, -1], 'sigma_min': null,"
                  "'solver_p': {'a': 1}, 'lambda_min_clipped': '-inf', 'shift': 3.0, 'odd': 1,"
                  "'time_shift_type': 'linear', 'base_shift': null, 'max_image_seq_len': 8192,"
                  "'shift_terminal': 0.02, 'invert_sigmas': true}",
                  &c),
        &error);
    assert_string_equal(c.class_name, "DDIMScheduler");
    assert_true(c.beta_start == 0.001 && c.num_train_timesteps == 3 && !c.clip_sample && c.solver_p);
    assert_true(c.shift == 3 && c.time_shift_type == PLD_TIME_SHIFT_LINEAR && c.max_image_seq_len == 8192 &&
                c.shift_terminal == 0.02 && c.invert_sigmas);
    assert_false(c.stated & PLD_FIELD_BIT(BASE_SHIFT));
    assert_int_equal(c.trained_betas.count, 3);
    assert_true(c.trained_betas.values[2] == 0.3);
    assert_int_equal(c.disable_corrector.values[1], -1);
    assert_true(isinf(c.lambda_min_clipped) && c.lambda_min_clipped < 0);
    assert_true(c.stated & PLD_FIELD_BIT(CLIP_SAMPLE));
    assert_false(c.stated & PLD_FIELD_BIT(SIGMA_MIN)); /* null counts as absent */
    assert_false(c.stated & PLD_FIELD_BIT(BETA_END));
    assert_string_equal(notices, "test.json: unknown field 'odd' is not used\n");
    pld_scheduler_config_clear(&c);
    assert_null(c.trained_betas.values);
}

/** Files of DPM-Solver say -Infinity, without quotation marks. */
static void bare_infinities_are_understood(void **state) {
    (void)state;
    char text[] = "{\"lambda_min_clipped\": -Infinity, \"_note\": \"\\\"-Infinity\", \"sigma_min\": 1}";
    char unfinished[] = "{\"sigma_min\": -Infinit}";
    char finite[] = "{\"beta_start\": -Infinity}";
    char cut[] = "{\"\\";
    pld_scheduler_config c;
    require_ok(pld_scheduler_config_parse(text, strlen(text), "test.json", NULL, &c, &error), &error);
    assert_true(isinf(c.lambda_min_clipped) && c.lambda_min_clipped < 0 && c.sigma_min == 1);
    pld_scheduler_config_clear(&c);
    const pld_status bad = PLD_ERROR_FORMAT;
    assert_int_equal(pld_scheduler_config_parse(unfinished, strlen(unfinished), "a", NULL, &c, &error), bad);
    assert_int_equal(pld_scheduler_config_parse(finite, strlen(finite), "a", NULL, &c, &error), bad);
    assert_int_equal(pld_scheduler_config_parse(cut, strlen(cut), "a", NULL, &c, &error), bad);
    assert_int_equal(pld_scheduler_config_parse(cut, 0, "a", NULL, &c, &error), bad);
    assert_int_equal(pld_scheduler_config_load("/nonexistent/file.json", NULL, &c, &error),
                     PLD_ERROR_MISSING);
}

static void bad_fields_are_named(void **state) {
    (void)state;
    unreadable("{'num_train_timesteps': 0}", PLD_ERROR_FORMAT, "num_train_timesteps");
    unreadable("{'num_train_timesteps': 1000000000000}", PLD_ERROR_FORMAT, "num_train_timesteps");
    unreadable("{'num_train_timesteps': 1000.0}", PLD_ERROR_FORMAT, "num_train_timesteps");
    unreadable("{'num_train_timesteps': 'many'}", PLD_ERROR_FORMAT, "num_train_timesteps");
    unreadable("{'beta_start': -0.1}", PLD_ERROR_FORMAT, "beta_start");
    unreadable("{'beta_end': 2}", PLD_ERROR_FORMAT, "beta_end");
    unreadable("{'beta_schedule': 'wavy'}", PLD_ERROR_UNSUPPORTED, "'wavy'");
    unreadable("{'prediction_type': 'noise'}", PLD_ERROR_UNSUPPORTED, "epsilon, v_prediction, sample");
    unreadable("{'trained_betas': 0.1}", PLD_ERROR_FORMAT, "trained_betas");
    unreadable("{'trained_betas': []}", PLD_ERROR_FORMAT, "trained_betas");
    unreadable("{'trained_betas': [0.1, 'a']}", PLD_ERROR_FORMAT, "trained_betas");
    unreadable("{'trained_betas': [0.1, 1.5]}", PLD_ERROR_FORMAT, "trained_betas");
    unreadable("{'disable_corrector': [0.5]}", PLD_ERROR_FORMAT, "disable_corrector");
    unreadable("{'clip_sample': 1}", PLD_ERROR_FORMAT, "clip_sample");
    unreadable("{'sigma_min': -1}", PLD_ERROR_FORMAT, "sigma_min");
    unreadable("{'solver_order': 0}", PLD_ERROR_FORMAT, "solver_order");
    unreadable("{'steps_offset': -1}", PLD_ERROR_FORMAT, "steps_offset");
    unreadable("{'original_inference_steps': 0}", PLD_ERROR_FORMAT, "original_inference_steps");
    unreadable("{'timestep_scaling': 'inf'}", PLD_ERROR_FORMAT, "timestep_scaling");
    unreadable("{'shift': 0}", PLD_ERROR_FORMAT, "'shift'");
    unreadable("{'flow_shift': -1}", PLD_ERROR_FORMAT, "flow_shift");
    unreadable("{'shift_terminal': 1}", PLD_ERROR_FORMAT, "shift_terminal");
    unreadable("{'time_shift_type': 'square'}", PLD_ERROR_UNSUPPORTED, "exponential, linear");
    unreadable("{'base_image_seq_len': 0}", PLD_ERROR_FORMAT, "base_image_seq_len");
    unreadable("{'sigma_data': 0}", PLD_ERROR_FORMAT, "sigma_data");
    unreadable("{'_class_name': 3}", PLD_ERROR_FORMAT, "_class_name");
    unreadable("[]", PLD_ERROR_FORMAT, "object");
}

static void unimplemented_fields_are_named(void **state) {
    (void)state;
    const pld_sampling_options five = pld_sampling_options_default(5);
    const pld_status no = PLD_ERROR_UNSUPPORTED;
    impossible("ddim", "{'thresholding': true}", five, no, "test.json: field 'thresholding' is true");
    impossible("lcm", "{'thresholding': true}", five, no, "thresholding");
    impossible("dpm++2m", "{'use_lu_lambdas': true}", five, no, "use_lu_lambdas");
    impossible("dpm++2m", "{'solver_order': 4}", five, no, "'solver_order' is 4");
    impossible("dpm++2m", "{'use_dynamic_shifting': true}", five, no, "use_dynamic_shifting");
    impossible("dpm++2m", "{'variance_type': 'learned_range'}", five, no, "'variance_type' is learned_range");
    impossible("unipc", "{'use_dynamic_shifting': true}", five, no, "use_dynamic_shifting");
    impossible("unipc", "{'solver_p': {}}", five, no, "solver_p");
    impossible("unipc", "{'shift_terminal': 0.1}", five, no, "shift_terminal");
    impossible("unipc", "{'solver_order': 4}", five, no, "solver_order");
    impossible(
        "unipc",
        "{'prediction_type': 'flow_prediction', 'predict_x0': false, 'final_sigmas_type': 'sigma_min'}", five,
        no, "predict_x0");
    impossible("lcm", "{'_class_name': 'FlowMatchLCMScheduler', 'scale_factors': [0.5]}", five, no,
               "scale_factors");
    impossible("euler",
               "{'_class_name': 'FlowMatchEulerDiscreteScheduler', 'invert_sigmas': true,"
               "'stochastic_sampling': true}",
               five, no, "invert_sigmas");
    impossible("unipc", "{'solver_type': 'bh1'}", five, no, "sigma_min");
    impossible("unipc", "{'predict_x0': false}", five, no, "predict_x0");
    impossible("unipc", "{'lower_order_final': false}", five, no, "lower_order_final");
    impossible("euler", "{'beta_schedule': 'laplace'}", five, no, "beta_schedule");
    impossible("euler", "{'beta_schedule': 'exp'}", five, no, "'beta_schedule' is exp");
    impossible("euler_a", "{'prediction_type': 'sample'}", five, no, "'euler_a'");
    impossible("pndm", "{'prediction_type': 'sample'}", five, no, "'pndm'");
    impossible("ddim", "{'rescale_betas_zero_snr': true, 'timestep_spacing': 'trailing'}", five, no,
               "zero terminal SNR");
    /* what another class reads does not matter */
    pld_sampler *sampler = NULL;
    require_ok(make("euler", "{'thresholding': true, 'solver_order': 3, 'solver_p': {}}", &five, &sampler),
               &error);
    pld_sampler_destroy(&sampler);
}

static void inconsistent_configurations_are_refused(void **state) {
    (void)state;
    const pld_sampling_options five = pld_sampling_options_default(5);
    const pld_status bad = PLD_ERROR_FORMAT;
    impossible("ddim", "{'trained_betas': [0.1, 0.2]}", five, bad, "num_train_timesteps is 1000");
    impossible("euler", "{'use_karras_sigmas': true, 'use_beta_sigmas': true}", five, bad, "more than one");
    impossible("euler", "{'beta_start': 0, 'beta_end': 0}", five, bad, "noise level");
    impossible("euler", "{'beta_start': 1, 'beta_end': 1}", five, bad, "noise level");
    impossible("heun", "{'beta_start': 1e-30, 'beta_end': 1e-30}", five, bad, "noise level");
    impossible("euler", "{'use_karras_sigmas': true, 'sigma_min': 5, 'sigma_max': 1}", five, bad,
               "sigma_max");
    impossible("euler", "{'use_exponential_sigmas': true, 'sigma_min': 0}", five, bad, "above zero");
    impossible("dpm++2m", "{'lambda_min_clipped': 1000}", five, bad, "lambda_min_clipped");
    impossible("lcm", "{'original_inference_steps': 2000}", five, bad, "original_inference_steps");
}

static void options_out_of_range_are_refused(void **state) {
    (void)state;
    const pld_status no = PLD_ERROR_ARGUMENT;
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        impossible((*kind)->name, "{}", pld_sampling_options_default(0), no, "steps");
        impossible((*kind)->name, "{}", pld_sampling_options_default(1001), no, "steps");
        pld_sampling_options options = pld_sampling_options_default(5);
        options.eta = 1.5;
        impossible((*kind)->name, "{}", options, no, "eta 1.5");
        options = pld_sampling_options_default(5);
        options.shift = 0;
        impossible((*kind)->name, "{}", options, no, "shift 0");
        options = pld_sampling_options_default(0);
        options.sigmas = (const double[]){1, 0.5};
        options.sigmas_count = 2;
        impossible((*kind)->name, "{}", options, no, "list of noise levels");
        options = pld_sampling_options_default(0);
        options.timesteps = (const double[]){999, 499};
        options.timesteps_count = 2;
        if (strcmp((*kind)->name, "scm") == 0) {
            impossible("scm", "{}", options, no, "an angle above 0, up to 1.5708");
            options.timesteps = (const double[]){0.5, 0};
            impossible("scm", "{}", options, no, "timestep 0");
            continue;
        }
        if (!(*kind)->accepts_timesteps) {
            impossible((*kind)->name, "{}", options, no, (*kind)->name);
            continue;
        }
        options.steps = 3;
        impossible((*kind)->name, "{}", options, no, "3 steps but a list of 2");
        options.steps = 0;
        options.timesteps = (const double[]){999, 1000};
        impossible((*kind)->name, "{}", options, no, "timestep 1000");
        options.timesteps = (const double[]){-1, -2};
        impossible((*kind)->name, "{}", options, no, "timestep -1");
        options.timesteps = (const double[]){499, 499};
        impossible((*kind)->name, "{}", options, no, "descending");
        options.timesteps = (const double[]){499.5, 3};
        impossible((*kind)->name, "{}", options, no, "whole number");
        options.timesteps = (const double[]){NAN, 3};
        impossible((*kind)->name, "{}", options, no, "whole number");
    }
    pld_sampling_options karras = pld_sampling_options_default(5);
    karras.schedule = pld_sigma_schedule_find("karras");
    impossible("ddim", "{}", karras, no, "'karras'");
    karras.steps = 0;
    karras.timesteps = (const double[]){999};
    karras.timesteps_count = 1;
    impossible("euler", "{}", karras, no, "cannot be used together");
    impossible("lcm", "{}", pld_sampling_options_default(51), no, "at most 50");
    impossible("pndm", "{}", pld_sampling_options_default(3), no, "skip_prk_steps");
    impossible("dpm++2m", "{'timestep_spacing': 'leading'}", pld_sampling_options_default(1000), no,
               "cannot place that many");
    impossible("ddim", "{'steps_offset': 1}", pld_sampling_options_default(1000), no, "timestep 1000");
}

static void options_without_effect_are_reported(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    pld_sampling_options options = pld_sampling_options_default(4);
    options.eta = 0.5;
    require_ok(make("euler", "{}", &options, &sampler), &error);
    assert_non_null(strstr(notices, "eta"));
    assert_true(pld_sampler_eta(sampler) == 0);
    pld_sampler_destroy(&sampler);
    options = pld_sampling_options_default(4);
    options.spacing = pld_spacing_find("trailing");
    require_ok(make("lcm", "{}", &options, &sampler), &error);
    assert_non_null(strstr(notices, "trailing"));
    pld_sampler_destroy(&sampler);
}

/** The published file's fields go over to another class, what it leaves out does not. */
static void a_replacement_keeps_what_is_stated(void **state) {
    (void)state;
    static const char pndm[] = "{'_class_name': 'PNDMScheduler', 'beta_start': 0.00085, 'steps_offset': 1}";
    pld_sampler *sampler = NULL;
    pld_sampling_options five = pld_sampling_options_default(5);
    require_ok(make("euler", pndm, &five, &sampler), &error);
    const pld_scheduler_config *config = pld_sampler_config(sampler);
    assert_true(config->beta_start == 0.00085 && config->beta_end == 0.02 && config->steps_offset == 1);
    assert_int_equal(config->timestep_spacing, PLD_SPACING_LINSPACE);
    assert_true(pld_sampler_schedule(sampler)->timesteps[0] == 999);
    pld_sampler_destroy(&sampler);
    require_ok(make("lcm", pndm, &five, &sampler), &error);
    assert_true(pld_sampler_config(sampler)->beta_end == 0.012);
    assert_int_equal(pld_sampler_config(sampler)->beta_schedule, PLD_BETAS_SCALED_LINEAR);
    pld_sampler_destroy(&sampler);
    /* a range of noise levels stays only in a file of the sampler's own class, or where the class has it */
    static const char range[] = "{'_class_name': '%s', 'use_karras_sigmas': true, 'sigma_min': 0.5}";
    const struct {
        const char *sampler, *class_name;
        bool kept;
    } cases[] = {{"dpm++2m", "EulerDiscreteScheduler", false},
                 {"dpm++2m", "DPMSolverMultistepScheduler", true},
                 {"unipc", "EulerDiscreteScheduler", true}};
    for (size_t i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof text, range, cases[i].class_name);
        require_ok(make(cases[i].sampler, text, &five, &sampler), &error);
        bool kept = fabsf(pld_sampler_schedule(sampler)->sigmas[4] - 0.5f) < 1e-6f;
        assert_int_equal(kept, cases[i].kept);
        pld_sampler_destroy(&sampler);
    }
}

static void options_go_over_the_configuration(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    const pld_prediction v = PLD_PREDICT_V;
    pld_sampling_options options = pld_sampling_options_default(4);
    options.prediction = &v;
    options.spacing = pld_spacing_find("trailing");
    options.schedule = pld_sigma_schedule_find("discrete");
    options.stable_diffusion_rules = true;
    require_ok(make("heun", "{'use_karras_sigmas': true, 'clip_sample': true}", &options, &sampler), &error);
    const pld_scheduler_config *config = pld_sampler_config(sampler);
    assert_true(config->prediction_type == PLD_PREDICT_V && !config->clip_sample &&
                config->steps_offset == 1);
    const double *timesteps = pld_sampler_schedule(sampler)->timesteps;
    assert_true(timesteps[0] == 999 && timesteps[1] == 749 && timesteps[2] == 749 && timesteps[6] == 249);
    pld_sampler_destroy(&sampler);
}

static void classes_and_algorithms_find_their_sampler(void **state) {
    (void)state;
    const struct {
        const char *text, *name;
    } cases[] = {
        {"{'_class_name': 'PNDMScheduler'}", "pndm"},
        {"{'_class_name': 'DDIMScheduler', 'timestep_spacing': 'trailing'}", "ddim"},
        {"{'_class_name': 'EulerAncestralDiscreteScheduler'}", "euler_a"},
        {"{'_class_name': 'DPMSolverMultistepScheduler'}", "dpm++2m"},
        {"{'_class_name': 'DPMSolverMultistepScheduler', 'algorithm_type': 'deis'}", "dpm++2m"},
        {"{'_class_name': 'DPMSolverMultistepScheduler', 'algorithm_type': 'sde-dpmsolver++'}",
         "dpm++2m_sde"},
        {"{'_class_name': 'UniPCMultistepScheduler', 'algorithm_type': 'dpmsolver'}", "unipc"},
        {"{'_class_name': 'DPMSolverMultistepScheduler', 'algorithm_type': 'dpmsolver'}", NULL},
        {"{'_class_name': 'FlowMatchEulerDiscreteScheduler'}", "euler"},
        {"{'_class_name': 'FlowMatchHeunDiscreteScheduler'}", "heun"},
        {"{'_class_name': 'FlowMatchLCMScheduler'}", "lcm"},
        {"{'_class_name': 'SCMScheduler', 'prediction_type': 'trigflow'}", "scm"},
        {"{'_class_name': 'DDPMScheduler'}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pld_scheduler_config stated;
        const pld_sampler_kind *kind = NULL;
        require_ok(read_text(cases[i].text, &stated), &error);
        pld_status status = pld_sampler_kind_for_config(&stated, &kind, &error);
        assert_int_equal(status, cases[i].name ? PLD_OK : PLD_ERROR_UNSUPPORTED);
        if (cases[i].name) {
            assert_string_equal(kind->name, cases[i].name);
        } else {
            assert_non_null(strstr(error.message, "test.json"));
        }
        pld_scheduler_config_clear(&stated);
    }
}

static void calls_belong_to_steps(void **state) {
    (void)state;
    const struct {
        const char *name, *config;
        size_t steps, calls;
        size_t step_of[13];
    } cases[] = {
        {"euler", "{}", 3, 3, {0, 1, 2}},
        {"heun", "{}", 3, 5, {0, 0, 1, 1, 2}},
        {"heun", "{}", 1, 1, {0}},
        {"pndm", "{'skip_prk_steps': true}", 3, 4, {0, 0, 1, 2}},
        {"pndm", "{'skip_prk_steps': true}", 1, 1, {0}},
        {"pndm", "{}", 4, 13, {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pld_sampler *sampler = NULL;
        pld_sampling_options options = pld_sampling_options_default(cases[i].steps);
        require_ok(make(cases[i].name, cases[i].config, &options, &sampler), &error);
        assert_int_equal(pld_sampler_schedule(sampler)->steps, cases[i].steps);
        assert_int_equal(pld_sampler_schedule(sampler)->calls, cases[i].calls);
        for (size_t call = 0; call < cases[i].calls; call++) {
            assert_int_equal(pld_sampler_step_of_call(sampler, call), cases[i].step_of[call]);
        }
        pld_sampler_destroy(&sampler);
    }
}

static void calls_come_in_order(void **state) {
    (void)state;
    pld_sampler *sampler = NULL;
    pld_rng rng;
    float values[8] = {0};
    pld_sampling_options three = pld_sampling_options_default(3);
    require_ok(make("euler", "{}", &three, &sampler), &error);
    pld_rng_seed(&rng, PLD_RNG_TORCH_CPU, 0);
    assert_int_equal(pld_sampler_step(sampler, 0, values, values, &rng, values, &error), PLD_ERROR_INTERNAL);
    assert_int_equal(pld_sampler_begin(sampler, 3, 8, &error), PLD_ERROR_ARGUMENT);
    assert_int_equal(pld_sampler_begin(sampler, 0, 0, &error), PLD_ERROR_ARGUMENT);
    require_ok(pld_sampler_begin(sampler, 1, 8, &error), &error); /* the later start of a given picture */
    assert_int_equal(pld_sampler_step(sampler, 0, values, values, &rng, values, &error), PLD_ERROR_INTERNAL);
    require_ok(pld_sampler_step(sampler, 1, values, values, &rng, values, &error), &error);
    require_ok(pld_sampler_step(sampler, 2, values, values, &rng, values, &error), &error);
    assert_int_equal(pld_sampler_step(sampler, 3, values, values, &rng, values, &error), PLD_ERROR_INTERNAL);
    pld_sampler_destroy(&sampler);
}

/** Every row is whole, and every name finds its row. */
static void registries_are_consistent(void **state) {
    (void)state;
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        pld_scheduler_config defaults;
        assert_ptr_equal(pld_sampler_kind_find((*kind)->name), *kind);
        assert_true((*kind)->description && (*kind)->class_name && (*kind)->operations && (*kind)->fields);
        assert_false((*kind)->is_flow);
        if ((*kind)->flow) {
            assert_string_equal((*kind)->flow->name, (*kind)->name);
            assert_true((*kind)->flow->is_flow && pld_sampler_has_class((*kind)->flow->class_name));
        }
        (*kind)->set_defaults(&defaults);
        assert_int_equal(defaults.num_train_timesteps, 1000);
    }
    for (const pld_sigma_schedule *const *row = pld_sigma_schedules(); *row; row++) {
        assert_ptr_equal(pld_sigma_schedule_find((*row)->name), *row);
    }
    for (const pld_spacing *const *row = pld_spacings(); *row; row++) {
        assert_ptr_equal(pld_spacing_find((*row)->name), *row);
        assert_ptr_equal(pld_spacing_of((*row)->value), *row);
    }
    for (const pld_flow_rule *const *row = pld_flow_rules(); *row; row++) {
        assert_ptr_equal(pld_flow_rule_find((*row)->name), *row);
        assert_non_null((*row)->description);
    }
    assert_null(pld_flow_rule_find("sd"));
    assert_null(pld_sampler_kind_find("ddpm"));
    assert_null(pld_sigma_schedule_find("linear"));
    assert_null(pld_spacing_find(""));
    for (int field = 0; field < PLD_FIELD_COUNT; field++) {
        assert_non_null(pld_scheduler_field_name((pld_scheduler_field)field));
    }
}

/** No count of steps gives more calls than asked for or a timestep out of range (numpy's arange would at 61).
 */
static void spacings_stay_in_range(void **state) {
    (void)state;
    double timesteps[1000];
    for (const pld_spacing *const *row = pld_spacings(); *row; row++) {
        for (size_t steps = 1; steps <= 1000; steps++) {
            const pld_spacing_request request = {
                .steps = steps, .train_timesteps = 1000, .last_timestep = 1000};
            size_t count = (*row)->place(&request, timesteps);
            assert_int_equal(count, steps);
            for (size_t i = 0; i < count; i++) {
                assert_true(timesteps[i] >= 0 && timesteps[i] <= 999 &&
                            (!i || timesteps[i] < timesteps[i - 1]));
            }
        }
    }
}

/** scipy.stats.beta.ppf at the probabilities and shapes that matter, and at harder ones. */
static void beta_quantiles_equal_scipy(void **state) {
    (void)state;
    stored_values rows; /* p, a, b, quantile */
    pld_tensor_file *file = NULL;
    double worst = 0;
    require_ok(pld_tensor_file_open(PLADIS_TEST_DATA "/sampling/beta_quantiles.safetensors", &file, &error),
               &error);
    rows = load_values(file, "", "rows");
    assert_true(rows.count > 0 && rows.count % 4 == 0);
    for (size_t i = 0; i < rows.count; i += 4) {
        const double *row = rows.values + i;
        double found = pld_beta_quantile(row[0], row[1], row[2]);
        double off = fabs(found - row[3]) / (row[3] > 0 ? row[3] : 1);
        worst = off > worst ? off : worst;
        if (!(off <= 1e-10)) {
            fail_msg("p %.17g a %g b %g: %.17g, expected %.17g", row[0], row[1], row[2], found, row[3]);
        }
    }
    print_message("%zu quantiles, largest relative error %.1e\n", rows.count / 4, worst);
    pld_free(rows.values);
    pld_tensor_file_close(&file);
}

static const char *const flow_names[] = {"euler", "heun", "dpm++2m", "dpm++2m_sde", "unipc", "lcm"};

static void lacks_memory(const pld_sampler_kind *kind, pld_scheduler_config stated,
                         const pld_sampling_options *options) {
    pld_status status = PLD_ERROR_MEMORY;
    for (long allowed = 0; status != PLD_OK; allowed++) {
        pld_sampler *sampler = NULL;
        assert_true(allowed < 20);
        pld_inject_allocation_failure(allowed);
        status = pld_sampler_create(kind, &stated, options, NULL, &sampler, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && !sampler));
        pld_sampler_destroy(&sampler);
    }
}

/** Whatever allocation fails, the error is reported and nothing leaks. */
static void lack_of_memory_is_reported(void **state) {
    (void)state;
    const pld_sampling_options four = pld_sampling_options_default(4);
    for (const pld_sampler_kind *const *kind = pld_sampler_kinds(); *kind; kind++) {
        lacks_memory(*kind, (pld_scheduler_config){0}, &four);
    }
    for (size_t i = 0; i < sizeof flow_names / sizeof flow_names[0]; i++) {
        pld_scheduler_config stated = {.stated = PLD_FIELD_BIT(PREDICTION_TYPE),
                                       .prediction_type = PLD_PREDICT_FLOW};
        lacks_memory(pld_sampler_kind_find(flow_names[i]), stated, &four);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(bare_infinities_are_understood),
        cmocka_unit_test(bad_fields_are_named),
        cmocka_unit_test(unimplemented_fields_are_named),
        cmocka_unit_test(inconsistent_configurations_are_refused),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(options_without_effect_are_reported),
        cmocka_unit_test(a_replacement_keeps_what_is_stated),
        cmocka_unit_test(options_go_over_the_configuration),
        cmocka_unit_test(classes_and_algorithms_find_their_sampler),
        cmocka_unit_test(calls_belong_to_steps),
        cmocka_unit_test(calls_come_in_order),
        cmocka_unit_test(registries_are_consistent),
        cmocka_unit_test(spacings_stay_in_range),
        cmocka_unit_test(beta_quantiles_equal_scipy),
        cmocka_unit_test(lack_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
