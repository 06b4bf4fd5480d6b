/* SPDX-License-Identifier: Apache-2.0 */
/* Making a sampler: the configuration is resolved and checked, then the schedule computed. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "sampling/sampler_internal.h"

pld_sampling_options pld_sampling_options_default(size_t steps) {
    return (pld_sampling_options){.steps = steps, .eta = NAN, .shift = NAN};
}

void pld_scheduler_defaults(pld_scheduler_config *config) {
    *config = (pld_scheduler_config){
        .num_train_timesteps = 1000,
        .beta_start = 0.0001,
        .beta_end = 0.02,
        .beta_schedule = PLD_BETAS_LINEAR,
        .prediction_type = PLD_PREDICT_EPSILON,
        .timestep_spacing = PLD_SPACING_LINSPACE,
        .set_alpha_to_one = true,
        .clip_sample_range = 1,
        .sigma_min = NAN,
        .sigma_max = NAN,
        .solver_order = 2,
        .lower_order_final = true,
        .lambda_min_clipped = -INFINITY,
        .predict_x0 = true,
        .original_inference_steps = 50,
        .timestep_scaling = 10,
        .shift = 1,
        .flow_shift = 1,
        .base_shift = 0.5,
        .max_shift = 1.15,
        .base_image_seq_len = 256,
        .max_image_seq_len = 4096,
        .sigma_data = 0.5,
    };
}

pld_status pld_sampler_refuse(const pld_sampler *sampler, pld_scheduler_field field, pld_error *error) {
    char value[64];
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field '%s' is %s, which sampler '%s' does not support; choose another sampler",
                    sampler->config.file, pld_scheduler_field_name(field),
                    pld_scheduler_field_text(&sampler->config, field, value, sizeof value),
                    sampler->kind->name);
}

/** What one class of flow models calls otherwise than another: the shift has two names, and that the model is
 *  one is said by the class, by use_flow_sigmas or by the prediction. */
static void translate_flow(pld_sampler *sampler, const pld_scheduler_config *stated) {
    pld_scheduler_config *config = &sampler->config;
    const uint64_t said = stated->stated;
    if (!(said & PLD_FIELD_BIT(SHIFT)) && said & PLD_FIELD_BIT(FLOW_SHIFT)) {
        config->shift = stated->flow_shift;
    }
    if (!(said & PLD_FIELD_BIT(FLOW_SHIFT)) && said & PLD_FIELD_BIT(SHIFT)) {
        config->flow_shift = stated->shift;
    }
    if (!(said & PLD_FIELD_BIT(USE_FLOW_SIGMAS) && stated->use_flow_sigmas)) {
        config->prediction_type = PLD_PREDICT_FLOW; /* else the prediction that is stated, or the class's */
    }
    config->use_flow_sigmas = !sampler->kind->is_flow;
}

/** Fill sampler->config: the class's defaults, what is stated, what the sampler's name says, what is asked
 *  for. */
static pld_status resolve_config(pld_sampler *sampler, const pld_scheduler_config *stated,
                                 const pld_sampling_options *options, bool flow, const pld_log *log,
                                 pld_error *error) {
    const pld_sampler_kind *kind = sampler->kind;
    pld_scheduler_config *config = &sampler->config;
    kind->set_defaults(config);
    memcpy(config->file, stated->file, sizeof config->file);
    if (!config->file[0]) {
        memcpy(config->file, "scheduler configuration", sizeof "scheduler configuration");
    }
    memcpy(config->class_name, kind->class_name, strlen(kind->class_name) + 1);
    uint64_t fields = kind->fields;
    if (fields & PLD_FIELD_BIT(USE_KARRAS_SIGMAS) &&
        (!stated->class_name[0] || strcmp(stated->class_name, kind->class_name) == 0)) {
        /* a file of the class's own may state a range that its constructor does not know, and it counts;
           another class's file loses it in the replacement */
        fields |= PLD_FIELDS_SIGMA_RANGE;
    }
    pld_scheduler_config_apply(config, stated, fields);
    if (kind->set_fixed) {
        kind->set_fixed(config);
    }
    sampler->space = kind->operations->space;
    if (flow) {
        translate_flow(sampler, stated);
        sampler->space = &pld_space_flow;
    } else {
        config->use_flow_sigmas = false;
    }
    if (options->stable_diffusion_rules) {
        config->steps_offset = 1;
        config->clip_sample = false;
    }
    if (options->prediction) {
        config->prediction_type = *options->prediction;
    }
    if (options->spacing && kind->fields & PLD_FIELD_BIT(TIMESTEP_SPACING) && !flow) {
        config->timestep_spacing = options->spacing->value;
    } else if (options->spacing) {
        pld_log_message(log, PLD_LOG_WARNING,
                        "sampler '%s' has its own timesteps, so spacing '%s' has no effect", kind->name,
                        options->spacing->name);
    }
    sampler->spacing = pld_spacing_of(config->timestep_spacing);
    int schedules = config->use_karras_sigmas + config->use_exponential_sigmas + config->use_beta_sigmas;
    if (schedules > 1 && !options->schedule) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: more than one of use_karras_sigmas, use_exponential_sigmas and use_beta_sigmas "
                        "is true",
                        config->file);
    }
    sampler->sigma_schedule = options->schedule ? options->schedule : pld_sigma_schedule_of(config);
    if (pld_has_sigma_schedule(sampler) && !(kind->fields & PLD_FIELD_BIT(USE_KARRAS_SIGMAS))) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "sampler '%s' uses the noise levels of its timesteps, so scheduler '%s' cannot be "
                        "used; leave it out, or choose another sampler, such as euler or dpm++2m",
                        kind->name, sampler->sigma_schedule->name);
    }
    return PLD_OK;
}

/** Fields and values that no sampler here implements. */
static pld_status check_config(const pld_sampler *sampler, pld_error *error) {
    const pld_scheduler_config *config = &sampler->config;
    const bool flow = sampler->space == &pld_space_flow;
    bool odd_betas = config->beta_schedule == PLD_BETAS_OTHER ||
                     (config->beta_schedule == PLD_BETAS_EXP && !sampler->kind->operations->takes_exp_betas);
    const struct {
        bool refused;
        pld_scheduler_field field;
    } checks[] = {
        {config->thresholding, PLD_FIELD_THRESHOLDING},
        {config->use_lu_lambdas, PLD_FIELD_USE_LU_LAMBDAS},
        {config->use_dynamic_shifting && !flow, PLD_FIELD_USE_DYNAMIC_SHIFTING},
        {config->shift_terminal > 0 && !flow, PLD_FIELD_SHIFT_TERMINAL},
        {config->solver_p, PLD_FIELD_SOLVER_P},
        {config->prediction_type == PLD_PREDICT_TRIGFLOW && sampler->space != &pld_space_trigflow,
         PLD_FIELD_PREDICTION_TYPE},
        {config->variance_type != PLD_VARIANCE_NONE, PLD_FIELD_VARIANCE_TYPE},
        {config->solver_order > 3, PLD_FIELD_SOLVER_ORDER},
        {odd_betas && !config->trained_betas.count, PLD_FIELD_BETA_SCHEDULE},
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].refused) {
            return pld_sampler_refuse(sampler, checks[i].field, error);
        }
    }
    return sampler->kind->operations->check ? sampler->kind->operations->check(sampler, error) : PLD_OK;
}

/** alphas_cumprod and final_alpha_cumprod, of classes that have betas. */
static pld_status compute_alphas(pld_sampler *sampler, pld_error *error) {
    size_t train = (size_t)sampler->config.num_train_timesteps;
    pld_schedule *schedule = &sampler->schedule;
    schedule->train_timesteps = train;
    if (!(sampler->kind->fields & PLD_FIELD_BIT(BETA_SCHEDULE))) {
        return PLD_OK;
    }
    schedule->alphas_cumprod = pld_allocate(train, sizeof(float));
    if (!schedule->alphas_cumprod) {
        return pld_fail_memory(error, train * sizeof(float), "noise schedule");
    }
    PLD_TRY(pld_alphas_cumprod(&sampler->config, schedule->alphas_cumprod, error));
    sampler->final_alpha_cumprod = sampler->config.set_alpha_to_one ? 1 : schedule->alphas_cumprod[0];
    return PLD_OK;
}

static pld_status build(pld_sampler *sampler, const pld_scheduler_config *stated,
                        const pld_sampling_options *options, const pld_log *log, pld_error *error) {
    bool flow = false;
    PLD_TRY(pld_sampler_choose(sampler->kind, stated, options, &sampler->kind, &flow, error));
    PLD_TRY(resolve_config(sampler, stated, options, flow, log, error));
    PLD_TRY(check_config(sampler, error));
    sampler->data_scale = 1;
    PLD_TRY(pld_sampler_take_options(sampler, options, log, error));
    PLD_TRY(compute_alphas(sampler, error));
    sampler->schedule.init_noise_sigma = 1;
    PLD_TRY(sampler->kind->operations->prepare(sampler, options, error));
    sampler->config.trained_betas = (pld_number_list){0};
    sampler->config.disable_corrector = (pld_integer_list){0};
    return PLD_OK;
}

pld_status pld_sampler_create(const pld_sampler_kind *kind, const pld_scheduler_config *stated,
                              const pld_sampling_options *options, const pld_log *log, pld_sampler **sampler,
                              pld_error *error) {
    *sampler = pld_allocate(1, sizeof **sampler);
    if (!*sampler) {
        return pld_fail_memory(error, sizeof **sampler, "sampler");
    }
    (*sampler)->kind = kind;
    pld_status status = build(*sampler, stated, options, log, error);
    if (status != PLD_OK) {
        pld_sampler_destroy(sampler);
    }
    return status;
}

void pld_sampler_destroy(pld_sampler **sampler) {
    if (!*sampler) {
        return;
    }
    pld_free((*sampler)->schedule.timesteps);
    pld_free((*sampler)->schedule.sigmas);
    pld_free((*sampler)->schedule.alphas_cumprod);
    pld_free((*sampler)->skip_corrector);
    pld_free((*sampler)->memory);
    pld_free(*sampler);
    *sampler = NULL;
}
