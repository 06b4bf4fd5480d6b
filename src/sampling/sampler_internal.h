/* SPDX-License-Identifier: Apache-2.0 */
/** What the sampler files share. To add a sampler: one file with its pld_sampler_operations and its
 *  pld_sampler_kind row, one line in samplers/registry.c. */
#ifndef PLD_SAMPLING_SAMPLER_INTERNAL_H
#define PLD_SAMPLING_SAMPLER_INTERNAL_H

#include "sampling/sample_space.h"
#include "sampling/sampler.h"
#include "sampling/schedules/noise_schedule.h"

enum {
    PLD_SAMPLER_BUFFERS = 8,     /* arrays of the sample's size that a solver may keep */
    PLD_SAMPLER_STATE_BYTES = 64 /* of a solver's own counters */
};

/** Sets of fields that classes have in common. */
#define PLD_FIELDS_BETAS                                                                                     \
    (PLD_FIELD_BIT(NUM_TRAIN_TIMESTEPS) | PLD_FIELD_BIT(BETA_START) | PLD_FIELD_BIT(BETA_END) |              \
     PLD_FIELD_BIT(BETA_SCHEDULE) | PLD_FIELD_BIT(TRAINED_BETAS) | PLD_FIELD_BIT(PREDICTION_TYPE))
#define PLD_FIELDS_SPACING (PLD_FIELD_BIT(TIMESTEP_SPACING) | PLD_FIELD_BIT(STEPS_OFFSET))
#define PLD_FIELDS_SIGMA_SCHEDULE                                                                            \
    (PLD_FIELD_BIT(USE_KARRAS_SIGMAS) | PLD_FIELD_BIT(USE_EXPONENTIAL_SIGMAS) |                              \
     PLD_FIELD_BIT(USE_BETA_SIGMAS))
#define PLD_FIELDS_SIGMA_RANGE (PLD_FIELD_BIT(SIGMA_MIN) | PLD_FIELD_BIT(SIGMA_MAX))
#define PLD_FIELDS_DYNAMIC_SHIFT                                                                             \
    (PLD_FIELD_BIT(USE_DYNAMIC_SHIFTING) | PLD_FIELD_BIT(TIME_SHIFT_TYPE) | PLD_FIELD_BIT(BASE_SHIFT) |      \
     PLD_FIELD_BIT(MAX_SHIFT) | PLD_FIELD_BIT(BASE_IMAGE_SEQ_LEN) | PLD_FIELD_BIT(MAX_IMAGE_SEQ_LEN))
/** FlowMatchEulerDiscreteScheduler and its relatives. */
#define PLD_FIELDS_FLOW                                                                                      \
    (PLD_FIELD_BIT(NUM_TRAIN_TIMESTEPS) | PLD_FIELD_BIT(SHIFT) | PLD_FIELDS_DYNAMIC_SHIFT |                  \
     PLD_FIELD_BIT(SHIFT_TERMINAL) | PLD_FIELD_BIT(INVERT_SIGMAS) | PLD_FIELDS_SIGMA_SCHEDULE)

/** What a solver gets in one call. */
typedef struct pld_step {
    size_t call;
    const float *noise_pred; /**< [count] */
    const float *renoise;    /**< [count]; noise_pred unless the kind `renoises` */
    const float *sample;     /**< [count] */
    pld_rng *rng;
    float *next; /**< [count]; may be `sample` */
    size_t count;
} pld_step;

/** A solver. */
struct pld_sampler_operations {
    size_t buffers;       /**< how many of sampler->buffers it uses */
    bool takes_exp_betas; /**< beta_schedule "exp", which only one class of diffusers knows */
    /** Refuse what the class does not do; sampler->config is resolved. May be NULL. */
    pld_status (*check)(const pld_sampler *sampler, pld_error *error);
    /** Fill sampler->schedule; alphas_cumprod and steps are there. */
    pld_status (*prepare)(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error);
    size_t calls_per_step; /**< diffusers' order; 0 means 1 */
    /** Whether runs cannot begin later than at the first call. NULL: they can. */
    bool (*begins_at_noise)(const pld_sampler *sampler);
    /** NULL: a call is a step. */
    size_t (*step_of_call)(const pld_sampler *sampler, size_t call);
    /** How its samples hold signal and noise; use_flow_sigmas puts the multistep solvers into the flow's. */
    const pld_sample_space *space;
    void (*step)(pld_sampler *sampler, const pld_step *step);
};

struct pld_sampler {
    const pld_sampler_kind *kind;
    pld_scheduler_config config; /**< resolved; lists are borrowed and dropped after preparation */
    const pld_sample_space *space;
    const pld_flow_rule *flow_rule; /**< or NULL */
    double flow_shift;              /**< in force, where the space is the flow's */
    const pld_sigma_schedule *sigma_schedule;
    const pld_spacing *spacing;
    double eta;
    float data_scale; /**< the sample at no noise is this times x0: sigma_data of scm, else 1 */
    pld_schedule schedule;
    float final_alpha_cumprod; /**< ᾱ before the first training timestep */
    bool *skip_corrector;      /**< [calls] UniPC only, else NULL */

    /* one run */
    size_t count;
    size_t first_call;
    size_t next_call;
    size_t finished_calls; /**< since pld_sampler_begin: how much history there is */
    float *memory;
    float *buffers[PLD_SAMPLER_BUFFERS];                       /**< [count] each */
    _Alignas(16) unsigned char state[PLD_SAMPLER_STATE_BYTES]; /**< the solver's, zero at the start */
};

/** Constructor defaults that most classes agree on. */
void pld_scheduler_defaults(pld_scheduler_config *config);

/** The row that does for this model what `asked` names: for a flow model the row's `flow`. `*flow` is whether
 *  it is one. PLD_ERROR_UNSUPPORTED names the samplers that could. (samplers/choice.c) */
pld_status pld_sampler_choose(const pld_sampler_kind *asked, const pld_scheduler_config *stated,
                              const pld_sampling_options *options, const pld_sampler_kind **kind, bool *flow,
                              pld_error *error);

/** The same of the FlowMatch classes. */
void pld_flow_defaults(pld_scheduler_config *config);

/** Check what a run asks for against the resolved configuration, and take over steps, eta and the shift.
 *  PLD_ERROR_ARGUMENT for options out of range; `log` (may be NULL) is told of those without effect.
 *  (sampler_options.c) */
pld_status pld_sampler_take_options(pld_sampler *sampler, const pld_sampling_options *options,
                                    const pld_log *log, pld_error *error);

/** PLD_ERROR_UNSUPPORTED that names file, field, value and sampler. */
pld_status pld_sampler_refuse(const pld_sampler *sampler, pld_scheduler_field field, pld_error *error);

/** Exchange buffers so that buffers[i] becomes what buffers[i + 1] was, for i in [first, last), and the old
 *  buffers[first] comes to stand at `last`. */
void pld_sampler_rotate(pld_sampler *sampler, size_t first, size_t last);

/* schedules/timesteps.c */

/** Allocate schedule.timesteps for at most `capacity` calls. */
pld_status pld_schedule_reserve_calls(pld_schedule *schedule, size_t capacity, pld_error *error);

/** Allocate schedule.sigmas and set schedule.sigmas_count. */
pld_status pld_schedule_reserve_sigmas(pld_schedule *schedule, size_t count, pld_error *error);

/** Fill schedule.timesteps (not rounded) and calls from the spacing, or from the explicit list. `skip_zero`
 * and `last_timestep` as in pld_spacing_request. Room for `extra` more calls is left. */
pld_status pld_place_timesteps(pld_sampler *sampler, const pld_sampling_options *options, bool skip_zero,
                               size_t last_timestep, size_t extra, pld_error *error);

/** Whether noise levels come from a sigma schedule and not from the timesteps. */
bool pld_has_sigma_schedule(const pld_sampler *sampler);

/** Noise levels that the model was trained at: num_train_timesteps, but for what a family's rule says. */
size_t pld_training_level_count(const pld_sampler *sampler);

/** Calls that the schedule in force may place, at least `steps`: room for timesteps and sigmas. */
size_t pld_schedule_capacity(const pld_sampler *sampler);

/** Fill sigmas[pld_schedule_capacity] by the sigma schedule and set the number of calls: from the training
 *  `levels`, or between the configuration's sigma_min and sigma_max or, where it has none, the given ones.
 * The timesteps are the caller's to follow. */
pld_status pld_apply_sigma_schedule(pld_sampler *sampler, const pld_training_levels *levels, double sigma_min,
                                    double sigma_max, double *sigmas, pld_error *error);

/** Round schedule.timesteps to whole numbers, halves to even, or cut their fraction off. */
void pld_round_timesteps(pld_schedule *schedule);
void pld_truncate_timesteps(pld_schedule *schedule);

/** PLD_ERROR_ARGUMENT when a timestep is no index of alphas_cumprod, PLD_ERROR_UNSUPPORTED when what the
 * network predicts there does not determine the sample (ε at zero signal). */
pld_status pld_check_timesteps(const pld_sampler *sampler, pld_error *error);

/** ᾱ at a timestep; before the first one (negative) final_alpha_cumprod. */
float pld_alpha_cumprod_at(const pld_sampler *sampler, int64_t timestep);

/* schedules/sigma_space.c */

/** Timesteps and sigmas as EulerDiscreteScheduler places them: leading, trailing, linspace or explicit ones
 * in float, then the sigma schedule between the first and the last of them. Leaves calls + 1 sigmas. */
pld_status pld_prepare_sigma_space(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error);

/* schedules/multistep.c */

/** Timesteps and sigmas as the multistep solvers place them: whole timesteps without 0, sigma schedules over
 * the whole training range. `last_timestep`: one past the largest used. */
pld_status pld_prepare_multistep(pld_sampler *sampler, const pld_sampling_options *options,
                                 size_t last_timestep, const pld_sigma_table *table, pld_error *error);

/** The variance-preserving coefficients of a noise level: x = alpha·x0 + sigma·ε, λ = log(alpha/sigma). */
typedef struct pld_level {
    float alpha, sigma, lambda;
} pld_level;

/** From an entry of schedule.sigmas: σ of the flow where the sampler stands there, else of the
 *  variance-exploding form. σ = 0 has λ = ∞. */
pld_level pld_level_of_sigma(const pld_sampler *sampler, float sigma);

/* schedules/flow.c */

/** Timesteps and sigmas as FlowMatchEulerDiscreteScheduler places them: the rule's levels or the line between
 *  the training ends, shifted, stretched to shift_terminal, then the sigma schedule between first and last.
 *  Leaves calls + 1 sigmas. */
pld_status pld_prepare_flow(pld_sampler *sampler, const pld_sampling_options *options, pld_error *error);

/** What the multistep classes do differently from each other with use_flow_sigmas. */
typedef struct pld_multistep_flow {
    /** σ number i of `steps` before the shift. */
    double (*level)(size_t train_timesteps, size_t steps, size_t i);
    bool shifts_by_ratio; /**< as FlowMatchEulerDiscreteScheduler where the shift is dynamic */
    bool keeps_below_one; /**< a first σ of 1 is lowered by 1e-6, which keeps λ finite */
    bool karras_in_betas; /**< Karras' range is that of the betas, in their σ, and not the flow's */
} pld_multistep_flow;

/** Timesteps, cut to whole numbers, and `calls` sigmas of a multistep solver; room for one more. `table` are
 *  the levels of the betas. */
pld_status pld_prepare_multistep_flow(pld_sampler *sampler, const pld_sampling_options *options,
                                      const pld_multistep_flow *rule, const pld_sigma_table *table,
                                      pld_error *error);

/* schedules/consistency.c */

/** Timesteps as LCM and TCD place them: a subset of the `original_inference_steps` of distillation. */
pld_status pld_prepare_consistency(pld_sampler *sampler, const pld_sampling_options *options,
                                   pld_error *error);

#endif
